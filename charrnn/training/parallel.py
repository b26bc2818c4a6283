"""An objective whose lanes are shared among threads."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from charrnn.blas import single_threaded_blas
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.window import Array, Window


def choose_workers(wanted: int | str, batch_size: int) -> int:
    """The number of threads: as wanted, or with "auto" one a core, and never more than lanes."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(available or 1 if wanted == "auto" else int(wanted), batch_size)


@contextmanager
def parallel(
    make_objective: Callable[[], Objective], workers: int, reduction: str
) -> Iterator[Objective]:
    """An objective that splits the lanes, which are independent, among threads.

    The gradients are added in fixed order: the same number of workers gives the same bits,
    another number the same to rounding. Each worker has an objective, and so a workspace, of its
    own, and single-threaded BLAS: threads inside such small products cost more than they bring.
    """
    objectives = [make_objective() for _ in range(workers)]

    def part(worker: int, params: Params, window: Window, h0: Array) -> tuple[float, Params, Array]:
        # whoever called looks at what comes out; a thread does not inherit the caller's errstate
        with np.errstate(over="ignore", invalid="ignore"):
            return objectives[worker](params, window, h0)

    def objective(params: Params, window: Window, h0: Array) -> tuple[float, Params, Array]:
        active = min(workers, len(h0))
        lanes = [_lanes(worker, active, len(h0)) for worker in range(active)]
        windows = [
            Window(window.x[:, own], window.y[:, own], window.fresh[own], window.carried)
            for own in lanes
        ]
        futures = [
            pool.submit(part, worker, params, windows[worker], h0[lanes[worker]])
            for worker in range(1, active)
        ]
        results = [part(0, params, windows[0], h0[lanes[0]]), *(f.result() for f in futures)]
        if active == 1:
            return results[0]
        shares = [1.0] * active
        if reduction == "mean":  # a mean of means, weighted by their losses
            shares = [own.targets / window.targets for own in windows]
        loss = sum(share * loss for share, (loss, _, _) in zip(shares, results, strict=True))
        total = results[0][1]
        for share, (_, gradient, _) in zip(shares, results, strict=True):
            _accumulate(total, gradient, share)
        return loss, total, np.concatenate([h for _, _, h in results])

    with single_threaded_blas():
        pool = ThreadPoolExecutor(max(workers - 1, 1))
        try:
            yield objective
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who stops at once does not wait for it


def _lanes(worker: int, workers: int, batch_size: int) -> slice:
    """The contiguous lanes of one worker, as equal as they can be."""
    return slice(worker * batch_size // workers, (worker + 1) * batch_size // workers)


def _accumulate(total: Params, gradient: Params, share: float) -> None:
    """total += share · gradient; total itself, the first of the sum, is only scaled."""
    for name, array in total.named():
        addend = getattr(gradient, name)
        if share != 1:
            addend *= share
        if addend is not array:
            array += addend
