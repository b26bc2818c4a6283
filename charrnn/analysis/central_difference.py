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
    problem: Problem,
    activation: Activation,
    reduction: str,
    entries: Entries,
    step: float = STEP,
) -> Params:
    """Gradient (L(θ + s) - L(θ - s)) / 2s of each entry θ, with an error of order s².

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        entries: The entries to compute.
        step: s.

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
            for point in (centre + step, centre - step):
                flat[index] = point
                losses.append(window_loss(params, window, h0, activation, reduction, mask))
                if not activation.smooth:
                    active.append(states(params, window.x, h0, activation, mask=mask) > 0)
            flat[index] = centre
            if activation.smooth or np.array_equal(active[0], active[1]):
                out[index] = (losses[0] - losses[1]) / (2 * step)
    return result


def step_error(differences: Array, scale: float, noise: float) -> float:
    """A bound on the error that central differences have because of the length of their step.

    Args:
        differences: The same differences with the steps s, s/2 and s/4, (3, ...).
        scale: The size of a large one.
        noise: What rounding makes of them; more with a shorter step.

    Returns:
        Four times their change; infinite if they change by a thousandth of `scale`, since the loss
        is then not smooth at this scale, as in a chaotic network.
    """
    change = float(np.ptp(differences, axis=0).max(initial=0))
    return 4 * change if change <= max(1e-3 * scale, 16 * noise) else np.inf


CENTRAL_DIFFERENCE = Oracle(
    "central-difference",
    central_difference,
    tolerance=1e-6,
    noise=4 * float(np.finfo(np.float64).eps) / STEP,
    cost=lambda problem: Cost(0, 2 * loss_products(problem)),
)
