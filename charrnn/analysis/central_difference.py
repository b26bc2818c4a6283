"""The gradient by central differences."""

import numpy as np

from charrnn.analysis.oracles import Cost, Entries, Oracle, loss_products
from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import window_loss
from charrnn.model.params import Params
from charrnn.model.rnn import states

STEP = 1e-5  # near the cube root of the rounding unit: truncation and rounding errors balance


def central_difference(
    problem: Problem, activation: Activation, reduction: str, entries: Entries
) -> Params:
    """Gradient (L(θ + s) - L(θ - s)) / 2s of each entry θ, with an error of order s².

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        entries: The entries to compute.

    Returns:
        The gradient; NaN in entries that were not asked for, and where a ReLU switches between the
        two points, so that the difference is no derivative.
    """
    params, window, h0, mask = problem
    result = params.map(lambda array: np.full_like(array, np.nan))

    for (name, theta), (_, derivatives) in zip(params.named(), result.named(), strict=True):
        flat, out = theta.reshape(-1), derivatives.reshape(-1)
        for index in entries[name].tolist():
            centre = flat[index]
            losses: list[float] = []
            active: list[Array] = []
            for point in (centre + STEP, centre - STEP):
                flat[index] = point
                losses.append(window_loss(params, window, h0, activation, reduction, mask))
                if not activation.smooth:
                    active.append(states(params, window.x, h0, activation, mask=mask) > 0)
            flat[index] = centre
            if activation.smooth or np.array_equal(active[0], active[1]):
                out[index] = (losses[0] - losses[1]) / (2 * STEP)
    return result


CENTRAL_DIFFERENCE = Oracle(
    "central-difference",
    central_difference,
    tolerance=1e-6,
    noise=4 * float(np.finfo(np.float64).eps) / STEP,
    cost=lambda problem: Cost(0, 2 * loss_products(problem)),
)
