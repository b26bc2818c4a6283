"""The processes of a run that an MPI launcher started, and what they send to each other."""

import os
import socket
import sys
import time
import warnings
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from charrnn.errors import UsageError
from charrnn.system.extras import import_extra
from charrnn.system.launcher import Launched, end_launched, launched
from charrnn.system.machine import available_cores
from charrnn.system.shares import split
from charrnn.system.signals import end_at_once

if TYPE_CHECKING:
    from charrnn.arrays import Array


BEFORE_EXIT = 0.2  # seconds
LONGEST_WAIT = 2.0  # seconds, for processes that have nothing left to do


class Ranks:
    """The processes that share the work of a run; every method is called by all of them together.

    Rank 0 gives orders, and the others obey.

    Attributes:
        rank: The number of this process, from 0.
        size: The number of processes.
        host: The name of this process's machine.
        hosts: The number of machines.
        local: The largest number of processes on a machine.
        cores: The number of cores for each process, the same for all, at least 1.
        crowded: A machine with more processes than cores that they may use, if there is one: its
            name, and both numbers.
        asked_to_stop: Says whether this process was asked to stop, by a signal.
        stopping: Whether any was, as of the last sum.
    """

    def __init__(self, mpi: Any) -> None:
        self._mpi, self._comm = mpi, mpi.COMM_WORLD
        self.rank: int = self._comm.Get_rank()
        self.size: int = self._comm.Get_size()
        self.host = socket.gethostname()
        # a launcher may give processes cores of their own, or the same ones to all of a machine
        own = [(self.host, core) for core in available_cores()]
        everyone = self._comm.allgather(own)
        users = Counter(core for cores in everyone for core in cores)
        shares = [sum(1 / users[core] for core in cores) for cores in everyone]
        self.cores = max(int(min(shares) + 1e-6), 1)
        on = Counter(cores[0][0] for cores in everyone)
        there = Counter(host for host, _ in users)
        crowds = [(host, on[host], there[host]) for host in on if on[host] > there[host]]
        self.crowded = max(crowds, key=lambda crowd: crowd[1] / crowd[2], default=None)
        processes = self._comm.allgather((self.host, os.getpid()))
        machines = Counter(host for host, _ in processes)
        self.hosts, self.local = len(machines), max(machines.values())
        self._neighbours = {pid for host, pid in processes if host == self.host} - {os.getpid()}
        self.asked_to_stop: Callable[[], bool] = lambda: False
        self.stopping = False
        self._busy = False

    def part(self, count: int) -> slice:
        """The contiguous part of range(count) of this rank."""
        return split(count, self.size)[self.rank]

    def add(self, entries: "Array") -> None:
        """Replaces an array by its sum over all ranks, the same for all."""
        self._comm.Allreduce(self._mpi.IN_PLACE, entries)

    def share(self, rows: "Array") -> None:
        """Completes an array of which each rank has computed the rows of its `part`."""
        width = rows.size // max(len(rows), 1)
        parts = split(len(rows), self.size)
        counts = [(part.stop - part.start) * width for part in parts]
        starts = [part.start * width for part in parts]
        self._comm.Allgatherv(self._mpi.IN_PLACE, [rows, (counts, starts)])

    def broadcast(self, entries: "Array") -> None:
        """Replaces an array by that of rank 0."""
        self._comm.Bcast(entries)

    def tell(self, value: Any = None) -> Any:
        """A value of rank 0."""
        return self._comm.bcast(value)

    def exchange(self, value: Any) -> list[Any]:
        """The values of all ranks."""
        values: list[Any] = self._comm.allgather(value)
        return values

    @contextmanager
    def ordered(self, order: int, argument: float = 0.0) -> Iterator[None]:
        """Gives an order to the other ranks, which this one carries out with them in the context.

        If it fails, the others still wait for it, and can only be aborted.
        """
        self._busy = True
        self._comm.Bcast(array("d", [order, argument]))
        yield
        self._busy = False

    def next_order(self) -> tuple[int, float]:
        """The next order of rank 0, and its argument."""
        message = array("d", [0, 0])
        self._comm.Bcast(message)
        return int(message[0]), message[1]

    def leave(self) -> None:
        """Leaves the others, which do the same."""
        _joined.clear()
        self._mpi.Finalize()
        if self.rank:
            # MPICH's launcher kills all if one ends before it has heard that the others leave too
            time.sleep(BEFORE_EXIT)

    def dismiss(self, order: int, failed: bool = False) -> None:
        """Gives the others their last order and leaves, unless they wait for an unfinished one.

        Args:
            order: The order to leave.
            failed: Whether this process will end with an error. Launchers then kill the others and
                may report that instead, so it waits until those on its machine have ended.
        """
        if self._busy:
            return
        with self.ordered(order):
            pass
        self.leave()
        deadline = time.monotonic() + LONGEST_WAIT
        while failed and any(map(_runs, self._neighbours)) and time.monotonic() < deadline:
            time.sleep(0.01)

    def abort(self, code: int) -> None:
        """Ends all processes at once."""
        self._comm.Abort(code)


def _runs(pid: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


# those of this process, in a command that they share
current: ContextVar[Ranks | None] = ContextVar("ranks", default=None)
_joined: list[Ranks] = []


def join(started: Launched) -> Ranks:
    """Joins the processes that a launcher started; until then a signal has its default effect.

    Raises:
        UsageError: mpi4py or an MPI library is missing, or does not belong to the launcher.
    """
    what = f"training in {started.size} processes of an MPI launcher"
    rc = import_extra("mpi4py", "mpi", what).rc
    rc.thread_level, rc.finalize = "funneled", False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of another library's launcher: see below
            mpi = import_extra("mpi4py.MPI", "mpi", what)
    except RuntimeError:
        raise UsageError(
            f"{what} needs an MPI library, and mpi4py finds none.",
            "load the MPI module of your cluster, or install one: pip install mpich",
        ) from None
    if (size := mpi.COMM_WORLD.Get_size()) != started.size:
        library = " ".join(mpi.Get_library_version().splitlines()[0].partition(",")[0].split())
        raise UsageError(
            f"the launcher started {started.size} processes, of which the MPI library of mpi4py "
            f"finds {size}.",
            f"start them with the mpirun of that library, which is {library}; or with "
            "srun --mpi=pmi2 or --mpi=pmix, where Slurm has one that the library knows.",
        )
    if not mpi.COMM_WORLD.Get_rank():  # the others will obey it
        end_at_once()
    ranks = Ranks(mpi)
    _joined.append(ranks)
    return ranks


def has_joined() -> bool:
    """Whether this process has joined others, and not left them."""
    return bool(_joined)


def end_others(code: int) -> None:
    """Ends the other processes, if this one ends with an error that they do not know of."""
    for ranks in _joined:
        ranks.abort(code)
    if code and launched() and "mpi4py.MPI" not in sys.modules:
        end_launched(code)
