"""An objective that computes the lanes of a window on several threads, or in several processes."""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.system.ranks import Ranks
from charrnn.system.shares import split
from charrnn.training.workers import Workers
from charrnn.window import Window


def parallel(make_objective: Callable[[], Objective], workers: Workers) -> Objective:
    """Splits the lanes of a window, which are independent, among threads.

    Args:
        make_objective: Makes an objective, with a workspace of its own, for each thread.
        workers: The threads.

    Returns:
        An objective that adds the gradients in a fixed order: with the same number of threads it
        gives the same bits, with another number the same up to rounding.
    """
    objectives = [make_objective() for _ in range(workers.count)]
    workspace = Workspace()

    @np.errstate(over="ignore", invalid="ignore")  # the caller checks the result
    def objective(params: Params, window: Window, h0: Array) -> tuple[float, Params, Array]:
        count = min(workers.count, len(h0))
        if count == 1:
            return objectives[0](params, window, h0)
        slices = split(len(h0), count)
        batch = window._replace(batch_targets=window.targets)  # counted once

        def compute_lanes(worker: int) -> tuple[float, Params, Array]:
            lanes = slices[worker]
            return objectives[worker](params, batch.lanes(lanes), h0[lanes])

        losses, gradients, states = zip(*workers.run(compute_lanes, count), strict=True)
        total, *others = (gradient.flat for gradient in gradients)

        def add(entries: slice, workspace: Workspace) -> None:
            for other in others:
                total[entries] += other[entries]

        workers.for_each_slice(add, total.size)
        carried = workspace.array("carried", h0.shape, h0.dtype)
        np.concatenate(states, out=carried)
        return sum(losses), gradients[0], carried

    return objective


def divided(objective: Objective, ranks: Ranks, batch_size: int) -> Objective:
    """Splits the lanes of a window among processes, each of which keeps the states of its lanes.

    Args:
        objective: Computes the lanes of this process.
        ranks: The processes, all of which call what is returned with the same window.
        batch_size: The number of lanes of the largest window.

    Returns:
        An objective that gives loss and gradient of the whole window, added by one message. Of the
        carried states, only those of this process's lanes are new.
    """
    workspace = Workspace()

    @np.errstate(over="ignore", invalid="ignore")
    def objective_of_all(params: Params, window: Window, h0: Array) -> tuple[float, Params, Array]:
        part = ranks.part(batch_size)
        own = slice(min(part.start, len(h0)), min(part.stop, len(h0)))
        sums = workspace.array("sums", (params.size + 2,), params.dtype)
        carried = workspace.copy("carried", h0)
        if own.start < own.stop:
            loss, gradient, carried[own] = objective(params, window.lanes(own), h0[own])
            sums[:-2], sums[-2] = gradient.flat, loss
        else:
            sums[...] = 0
        sums[-1] = ranks.asked_to_stop()
        ranks.add(sums)
        ranks.stopping |= bool(sums[-1])
        return float(sums[-2]), Params(params.layout, sums[:-2]), carried

    return objective_of_all
