"""Commands in the processes of an MPI launcher: one of them alone writes and prints."""

import socket
import sys
import time
from functools import wraps
from typing import Any

from charrnn.cli.command import Function
from charrnn.errors import UsageError
from charrnn.system.launcher import launched
from charrnn.system.ranks import has_joined
from charrnn.system.streams import discard

FIRST_WORD = 2.0  # seconds that rank 0, then the first of a machine, has to report an error


def follows_rank_0() -> bool:
    """Whether this is a process of a launcher other than the first."""
    started = launched()
    return started is not None and started.rank > 0


def silence() -> None:
    """Lets this process print no results."""
    discard(sys.stdout)


def by_rank(message: str) -> str:
    """A message of this process, with its number and machine if it is not rank 0 of a launcher."""
    started = launched()
    if not started or not started.rank:
        return message
    return f"rank {started.rank} on {socket.gethostname()}: {message}"


def reports_errors() -> bool:
    """Whether this process has to report its error.

    Processes that have not joined cannot ask each other whether they found the same. So rank 0
    reports it first, then the first of each machine: their exit ends the others meanwhile.
    """
    started = launched()
    if not started or not started.rank or has_joined():
        return True
    time.sleep(FIRST_WORD if started.speaks else 2 * FIRST_WORD)
    return started.speaks or started.ends_all


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
