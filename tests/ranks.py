"""Ranks that are threads of this process: what MPI does for processes, without MPI."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from threading import Barrier, Thread
from types import SimpleNamespace

import numpy as np
import pytest

from charrnn.runs.follower import follow
from charrnn.system import ranks as ranks_module
from charrnn.system.launcher import Launched
from charrnn.system.ranks import Ranks

TIMEOUT = 60.0  # seconds, after which a test of ranks that wait for each other fails


class Communicator:
    """The part of an MPI communicator that `Ranks` uses, for one of several threads."""

    def __init__(self, rank: int, values: list, barrier: Barrier) -> None:
        self._rank, self._values, self._barrier = rank, values, barrier

    def Get_rank(self) -> int:
        return self._rank

    def Get_size(self) -> int:
        return len(self._values)

    def allgather(self, value: object) -> list:
        self._values[self._rank] = deepcopy(value)
        self._barrier.wait(TIMEOUT)
        values = [*self._values]
        self._barrier.wait(TIMEOUT)
        return values

    def bcast(self, value: object) -> object:
        return self.allgather(value)[0]

    def Bcast(self, buffer) -> None:
        entries = np.asarray(memoryview(buffer))
        entries[...] = self.allgather(entries)[0]

    def Allreduce(self, place: object, entries: np.ndarray) -> None:
        first, *others = self.allgather(entries)
        with np.errstate(all="ignore"):
            entries[...] = sum(others, first)

    def Allgatherv(self, place: object, message: list) -> None:
        rows, (counts, starts) = message
        flat = rows.reshape(-1)
        for values, count, start in zip(self.allgather(flat), counts, starts, strict=True):
            flat[start : start + count] = values[start : start + count]

    def Abort(self, code: int) -> None:
        self._barrier.abort()


def group(size: int) -> Iterator[SimpleNamespace]:
    """The MPI library of each of several threads."""
    values, barrier = [None] * size, Barrier(size)
    for rank in range(size):
        communicator = Communicator(rank, values, barrier)
        yield SimpleNamespace(COMM_WORLD=communicator, IN_PLACE=None, Finalize=lambda: None)


@contextmanager
def launcher(size: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """A context in which `charrnn train` is rank 0, and threads are the others.

    Yields:
        What followers raised.
    """
    threads: list[Thread] = []
    raised: list[Exception] = []

    def start_follower(mpi: SimpleNamespace) -> None:
        try:
            follow(Ranks(mpi))
        except Exception as error:
            raised.append(error)
            mpi.COMM_WORLD.Abort(1)

    def join(started: Launched) -> Ranks:
        own, *others = group(size)
        started_now = [Thread(target=start_follower, args=(mpi,), daemon=True) for mpi in others]
        threads.extend(started_now)
        for thread in started_now:
            thread.start()
        return Ranks(own)

    with monkeypatch.context() as patch:
        patch.setattr("charrnn.commands.ranks.launched", lambda: Launched(0, size, True))
        patch.setattr("charrnn.commands.ranks.join", join)
        yield raised
    for thread in threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive()
    assert not ranks_module._joined
