"""Requests to stop a run, by signal."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread, current_thread, main_thread
from types import FrameType

from charrnn.system.signals import SIGNALS, handled, not_ignored


@contextmanager
def stop_requests(
    announce: Callable[[], None], signals: Sequence[signal.Signals] = SIGNALS
) -> Iterator[Callable[[], bool]]:
    """A function that says whether one of these signals has arrived.

    `announce` is called at once, in a thread of its own: a signal handler interrupts whatever the
    main thread is doing, and may not use it. A second signal raises KeyboardInterrupt. A signal
    that is ignored, as under nohup, stays ignored. Outside the main thread, which alone can handle
    signals, the function always says no.
    """
    if current_thread() is not main_thread():
        yield lambda: False
        return
    received: list[int] = []
    numbers = not_ignored(signals)
    reading, writing = os.pipe()

    def handle(number: int, frame: FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.default_int_handler)
        received.append(number)
        os.write(writing, b"!")

    def wait() -> None:
        if os.read(reading, 1):  # empty: closed without a request
            announce()

    waiting = Thread(target=wait, name="stop requests", daemon=True)
    with suppress(RuntimeError):  # without a thread the request is obeyed, but not announced
        waiting.start()
    try:
        with handled(handle, signals):
            yield lambda: bool(received)
    finally:
        os.close(writing)
        if waiting.is_alive():
            waiting.join()
        os.close(reading)
