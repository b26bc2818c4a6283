"""Whether threads can be started: a limit on processes may forbid it."""

from threading import Thread


def can_start_threads() -> bool:
    """Whether a thread can be started now."""
    try:
        thread = Thread(target=bool)
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True
