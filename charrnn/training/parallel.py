"""An objective that computes the lanes of a window on several threads."""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.training.workers import Workers, split
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
