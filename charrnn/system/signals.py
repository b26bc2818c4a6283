"""The signals by which a user or the system asks a program to stop."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from socket import socket, socketpair
from threading import Thread, current_thread, get_ident, main_thread
from types import FrameType

from charrnn.system.unfinished import remove_unfinished

GRACE_SECONDS = 2.0  # for another thread to remove files

if sys.platform == "win32":
    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def not_ignored(among: Sequence[signal.Signals] = SIGNALS) -> list[signal.Signals]:
    """The signals that are not ignored; nohup and a shell's & ignore some."""
    return [number for number in among if signal.getsignal(number) is not signal.SIG_IGN]


def end_at_once() -> bool:
    """From now on a stop signal ends the program, whatever it is doing.

    A handler in Python waits until a call into C returns, such as the decomposition of a large
    matrix. So a thread reads what Python's own handler in C writes.

    Returns:
        Whether that thread could be started; if not, the handlers in Python remain.
    """
    for number in not_ignored():
        signal.signal(number, lambda *_: _end())
    # not a pipe, which as /dev/fd/3 would be a text without an end
    reading, writing = socketpair()
    writing.setblocking(False)
    try:
        Thread(target=_watch, args=(reading,), name="stop signals", daemon=True).start()
    except RuntimeError:
        return False
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    return True


@contextmanager
def handled(
    by: Callable[[int, FrameType | None], None], among: Sequence[signal.Signals] = SIGNALS
) -> Iterator[None]:
    """A context in which stop signals that are not ignored are handled by a function."""
    previous = {number: signal.getsignal(number) for number in not_ignored(among)}
    wakeup = signal.set_wakeup_fd(-1)
    try:
        for number in previous:
            signal.signal(number, by)
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)


def before_suspension(act: Callable[[], None]) -> Callable[[], None]:
    """Calls a function whenever Ctrl-Z suspends the program; returns a function that ends this.

    Outside the main thread, which alone can handle signals, nothing is done.
    """
    if sys.platform == "win32":  # where Ctrl-Z is the end of the input
        return lambda: None
    suspended = signal.SIGTSTP
    if current_thread() is not main_thread() or signal.getsignal(suspended) is not signal.SIG_DFL:
        return lambda: None

    def handle(number: int, frame: FrameType | None) -> None:
        act()
        signal.signal(suspended, signal.SIG_DFL)
        os.kill(os.getpid(), suspended)  # returns when the program is resumed
        signal.signal(suspended, handle)

    def end() -> None:
        with suppress(ValueError):  # in another thread
            signal.signal(suspended, signal.SIG_DFL)

    signal.signal(suspended, handle)
    return end


def _watch(reading: socket) -> None:
    while received := reading.recv(64):
        if {*received} & {*SIGNALS}:
            _end()


_ending: list[int] = []  # the threads that came to `_end`, in order


def _end() -> None:
    """Ends the program; what it was writing is removed."""
    _ending.append(get_ident())
    if len(_ending) > 1:  # the handler and the thread may both come here, and another signal
        if _ending[0] == get_ident():
            return  # it interrupted the removal, which goes on
        time.sleep(GRACE_SECONDS)
        os._exit(130)
    # raising an exception here could break an import in progress
    try:
        remove_unfinished()
        os.write(2, b"stopped: interrupted.\n")
    finally:
        os._exit(130)
