"""Requests to stop a run, by signal."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, current_thread, main_thread
from types import FrameType

from charrnn.system.signals import not_ignored


@contextmanager
def stop_requests(announce: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """A function that says whether SIGINT, SIGTERM or SIGHUP has arrived.

    `announce` is called at once, in a thread of its own: a signal handler interrupts whatever the
    main thread is doing, and may not use it. A second signal raises KeyboardInterrupt. A signal
    that is ignored, as under nohup, stays ignored. Outside the main thread, which alone can handle
    signals, the function always says no.
    """
    if current_thread() is not main_thread():
        yield lambda: False
        return
    received: list[int] = []
    previous = {number: signal.getsignal(number) for number in not_ignored()}
    reading, writing = os.pipe()

    def handle(number: int, frame: FrameType | None) -> None:
        for other in previous:
            signal.signal(other, signal.default_int_handler)
        received.append(number)
        os.write(writing, b"!")

    def wait() -> None:
        if os.read(reading, 1):  # empty: closed without a request
            announce()

    waiting = Thread(target=wait, name="stop requests", daemon=True)
    waiting.start()
    try:
        for number in previous:
            signal.signal(number, handle)
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(writing)
        waiting.join()
        os.close(reading)
