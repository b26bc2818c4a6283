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


def follows_rank_0() -> bool:
    """Whether this is a process of a launcher other than the first."""
    started = launched()
    return started is not None and started.rank > 0


def silence() -> None:
    """Lets this process print no results; until it trains, a signal ends it silently."""
    discard(sys.stdout)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def by_rank(message: str) -> str:
    """A message of this process, with its number if it is not the first of a launcher."""
    started = launched()
    return f"rank {started.rank}: {message}" if started and started.rank else message


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
