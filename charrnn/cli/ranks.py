"""Commands in the processes of an MPI launcher: one of them alone writes and prints."""

import signal
import sys
from functools import wraps
from typing import Any

from charrnn.cli.command import Function
from charrnn.errors import UsageError
from charrnn.system.launcher import launched
from charrnn.system.signals import SIGNALS
from charrnn.system.streams import discard


def becomes_follower() -> bool:
    """Whether this is a process of a launcher other than the first, which then prints no results.

    A signal ends it silently, as long as it does not train.
    """
    started = launched()
    if started is None or not started.rank:
        return False
    discard(sys.stdout)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    return True


def in_one_process(name: str, command: Function) -> Function:
    """A command that is refused in several processes, by the first of them."""

    @wraps(command)
    def alone(**values: Any) -> None:
        if started := launched():
            if started.rank:
                return
            raise UsageError(
                f"an MPI launcher started `charrnn {name}` {started.size} times, and only "
                "`charrnn train` divides its work among processes.",
                "start it once, without the launcher.",
            )
        command(**values)

    return alone
