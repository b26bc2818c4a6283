"""The command `charrnn`; until there is something to save, a stop signal ends it immediately."""

import os
import signal
from types import FrameType

from charrnn.system.signals import not_ignored


def main() -> None:
    """Runs the command line."""
    for number in not_ignored():
        signal.signal(number, _end)
    from charrnn.cli.main import main

    main()


def _end(number: int, frame: FrameType | None) -> None:
    # raising an exception here could break an import in progress
    try:
        os.write(2, b"stopped: interrupted.\n")
    finally:
        os._exit(130)


if __name__ == "__main__":
    main()
