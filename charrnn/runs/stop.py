"""Whether the user wants a run to stop."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from charrnn.system.signals import heeded


@contextmanager
def stop_requests(tell: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Whether SIGINT, SIGTERM or SIGHUP has come, which is told at once.

    A second one raises KeyboardInterrupt. One that is ignored, as nohup has it, stays so.
    """
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in heeded()}

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for other in before:
            signal.signal(other, signal.default_int_handler)
        tell()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
