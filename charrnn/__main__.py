"""The command `charrnn`; until there is something to save, a stop signal ends it immediately."""

# built in, unlike `signal`, whose import takes time in which Ctrl-C shows a traceback
from _signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal  # type: ignore[import-not-found]


def main() -> None:
    """Runs the command line."""
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)  # silently, until the imports are done
    import os

    from charrnn.system.launcher import launched
    from charrnn.system.signals import end_at_once
    from charrnn.system.streams import prepare_streams

    prepare_streams()  # first: a file that is opened takes the number of a closed stream
    # several processes wait for each other in C, where no handler in Python is called
    if not launched() and not end_at_once():
        # no thread can be started: OpenBLAS, loaded with NumPy, would complain
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from charrnn.cli.main import main

    main()


if __name__ == "__main__":
    main()
