"""The threads of a run, and an objective whose lanes are shared among them."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

import numpy as np

from charrnn.arrays import Array
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.system.blas import single_threaded_blas
from charrnn.window import Window

Result = TypeVar("Result")

WORTH = 100_000  # entries of an array: with fewer, a second thread costs more than it brings
BUSY = 150_000  # multiplications with W that a thread needs between two characters


def choose_workers(wanted: int | str, batch_size: int, hidden_size: int) -> int:
    """The number of threads: as wanted, but never more than lanes.

    With "auto" it is one a core, as far as there is enough to do: threads with little work between
    two calls of Python wait for its lock most of the time.
    """
    if wanted != "auto":
        return min(int(wanted), batch_size)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    busy = batch_size * hidden_size**2 // BUSY
    return max(min(cores or 1, batch_size, busy), 1)


class Crew:
    """Workers with numbers from 0, each with a workspace; number 0 is the caller's own thread."""

    def __init__(self, workers: int, pool: ThreadPoolExecutor) -> None:
        self.workers = workers
        self._pool = pool
        self._workspaces = [Workspace() for _ in range(workers)]

    def each(self, task: Callable[[int], Result], count: int) -> list[Result]:
        """What task(0), …, task(count - 1) return, worked on at once, in this order."""
        # a thread does not inherit the caller's context, which holds NumPy's errstate
        others = [self._pool.submit(copy_context().run, task, n) for n in range(1, count)]
        try:
            first = task(0)
        except Exception:
            wait(others)  # what they write to may be used again
            raise
        return [first, *(other.result() for other in others)]

    def share(self, task: Callable[[slice, Workspace], Result], size: int) -> list[Result]:
        """What the task returns for contiguous slices of range(size), in their order."""
        count = self.workers if size >= WORTH else 1
        return self.each(
            lambda worker: task(portion(worker, count, size), self._workspaces[worker]), count
        )


@contextmanager
def crew_of(workers: int) -> Iterator[Crew]:
    """So many threads, and single-threaded BLAS: its threads cost more than they bring here."""
    with single_threaded_blas():
        pool = ThreadPoolExecutor(max(workers - 1, 1))
        try:
            yield Crew(workers, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def portion(number: int, count: int, size: int) -> slice:
    """The numbered one of `count` contiguous slices of range(size), as equal as they can be."""
    return slice(number * size // count, (number + 1) * size // count)


def parallel(make_objective: Callable[[], Objective], crew: Crew) -> Objective:
    """An objective that splits the lanes, which are independent, among the workers.

    The gradients are added in fixed order: the same number of workers gives the same bits,
    another number the same to rounding. Each worker has an objective, and so a workspace, of its
    own.
    """
    objectives = [make_objective() for _ in range(crew.workers)]
    workspace = Workspace()

    def objective(params: Params, window: Window, h0: Array) -> tuple[float, Params, Array]:
        active = min(crew.workers, len(h0))
        if active == 1:
            return _quietly(objectives[0], params, window, h0)
        lanes = [portion(worker, active, len(h0)) for worker in range(active)]
        batch = window._replace(batch_targets=window.targets)  # counted once

        def part(worker: int) -> tuple[float, Params, Array]:
            own = lanes[worker]
            return _quietly(objectives[worker], params, batch.lanes(own), h0[own])

        losses, gradients, states = zip(*crew.each(part, active), strict=True)
        total, *others = (gradient.flat for gradient in gradients)

        def add(of: slice, workspace: Workspace) -> None:
            for other in others:
                total[of] += other[of]

        crew.share(add, total.size)
        carried = workspace.array("carried", h0.shape, h0.dtype)
        np.concatenate(states, out=carried)
        return sum(losses), gradients[0], carried

    return objective


def _quietly(
    objective: Objective, params: Params, window: Window, h0: Array
) -> tuple[float, Params, Array]:
    with np.errstate(over="ignore", invalid="ignore"):  # whoever called looks at what comes out
        return objective(params, window, h0)
