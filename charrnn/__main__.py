"""The command `charrnn`. Until there is something to save, an interruption ends it at once."""

import os
import signal
from types import FrameType

from charrnn.system.signals import heeded


def main() -> None:
    """Runs the command line."""
    for number in heeded():
        signal.signal(number, _end)
    from charrnn.cli.main import main

    main()


def _end(number: int, frame: FrameType | None) -> None:
    # an exception raised here could be in the middle of an import, which may not survive it
    try:
        os.write(2, b"stopped: at once.\n")
    finally:
        os._exit(130)


if __name__ == "__main__":
    main()
