"""The command `charrnn`; until there is something to save, a stop signal ends it immediately."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # silently, until the imports below are done

import os

from charrnn.system.signals import end_at_once
from charrnn.system.threads import can_start_threads


def main() -> None:
    """Runs the command line."""
    end_at_once()
    if not can_start_threads():  # OpenBLAS, loaded with NumPy, would complain
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from charrnn.cli.main import main

    main()


if __name__ == "__main__":
    main()
