"""The threads of a run."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from math import ceil
from threading import Barrier
from typing import TypeVar

import numpy as np

from charrnn.model.workspace import Workspace
from charrnn.system.blas import single_threaded_blas
from charrnn.system.machine import available_cores
from charrnn.system.ranks import Ranks
from charrnn.system.shares import split

Result = TypeVar("Result")

# entries of a flat array below which a second thread costs more than it saves
MIN_PARALLEL_SIZE = 100_000
# multiplications with W per time step from which on a second thread pays
MIN_PARALLEL_WORK = 300_000


def choose_workers(
    wanted: int | str, batch_size: int, hidden_size: int, cores: int | None = None
) -> int:
    """Chooses the number of threads.

    Args:
        wanted: The number of threads, or "auto" for one per core, as far as there is enough work
            and each has at least two lanes, as many as the others.
        batch_size: The number of lanes B.
        hidden_size: H.
        cores: The number of cores; None for those that this process may use.

    Returns:
        The number of threads, at most one per lane.
    """
    if wanted != "auto":
        return min(int(wanted), batch_size)
    cores = cores or len(available_cores())
    count = max(min(cores, batch_size // 2, worthwhile_workers(batch_size, hidden_size)), 1)
    return ceil(batch_size / ceil(batch_size / count))


def worthwhile_workers(batch_size: int, hidden_size: int) -> int:
    """The number of threads from which on each further one costs more than it saves.

    Each thread that is added lets the others wait longer for the interpreter's lock. This is within
    a few percent of the best number for every size that docs/performance.md has, measured on 16
    cores.
    """
    work = batch_size * hidden_size**2 / MIN_PARALLEL_WORK
    return 1 + int(np.cbrt(work) + 1e-9)  # the root of a cube may be rounded down


def smallest_batch(count: int, hidden_size: int) -> int:
    """The smallest batch that "auto" divides equally among so many threads, given as many cores."""
    lanes = max(
        2 * count if count > 1 else 1, ceil(MIN_PARALLEL_WORK * (count - 1) ** 3 / hidden_size**2)
    )
    return ceil(lanes / count) * count


class Workers:
    """A pool of threads, numbered from 0, each with a workspace; 0 is the caller's own thread.

    Without a pool the caller's thread does the work of all, one after another, with the same
    results bit for bit.

    Attributes:
        count: The number of threads.
        ranks: The processes that share the work, each with as many threads; None if there is one.
    """

    def __init__(
        self, count: int, pool: ThreadPoolExecutor | None, ranks: Ranks | None = None
    ) -> None:
        self.count, self.ranks = count, ranks
        self._pool = pool
        self._workspaces = [Workspace() for _ in range(count)]

    def run(self, task: Callable[[int], Result], count: int) -> list[Result]:
        """Runs a task on several threads at once.

        Args:
            task: Called with the number of the thread.
            count: How many of the threads to use.

        Returns:
            The results in the order of the threads.
        """
        if self._pool is None:
            return [task(n) for n in range(count)]
        # a thread does not inherit the caller's context, which holds NumPy's errstate
        others = [self._pool.submit(copy_context().run, task, n) for n in range(1, count)]
        try:
            first = task(0)
        except Exception:
            wait(others)  # the caller may reuse the memory that they write to
            raise
        wait(others)
        return [first, *(other.result() for other in others)]

    @property
    def all_started(self) -> bool:
        """Whether there are as many threads as there should be."""
        return self._pool is not None or self.count == 1

    def for_each_slice(
        self, task: Callable[[slice, Workspace], Result], size: int, unit: int = 1
    ) -> list[Result]:
        """Runs a task on contiguous slices of range(size), one per thread if it is large.

        Args:
            task: Called with a slice and the workspace of its thread.
            size: The size of the range.
            unit: What the slices begin at multiples of, and the size is one of.

        Returns:
            The results in the order of the slices.
        """
        count = min(self.count, size // unit) if size >= MIN_PARALLEL_SIZE else 1
        slices = [slice(part.start * unit, part.stop * unit) for part in split(size // unit, count)]
        return self.run(lambda worker: task(slices[worker], self._workspaces[worker]), count)


@contextmanager
def worker_threads(count: int, ranks: Ranks | None = None) -> Iterator[Workers]:
    """Provides threads, and limits BLAS to one, whose own threads would compete with them."""
    with single_threaded_blas():
        pool = _started_pool(count - 1) if count > 1 else None
        try:
            yield Workers(count, pool, ranks)
        finally:
            if pool:
                pool.shutdown(wait=False, cancel_futures=True)


def _started_pool(count: int) -> ThreadPoolExecutor | None:
    """A pool with all of its threads running; None if they cannot be started."""
    pool, all_started = ThreadPoolExecutor(count), Barrier(count + 1)
    try:
        for _ in range(count):
            pool.submit(all_started.wait)
    except RuntimeError:
        all_started.abort()
        pool.shutdown(wait=False, cancel_futures=True)
        return None
    all_started.wait()
    return pool
