"""How far rounding alone can move a gradient, whatever the method."""

import numpy as np
from numpy.random import default_rng

from charrnn.analysis.jacobians import inputs_of, lanes, over_step, within_step
from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import divisor

MARGIN = 8  # by which rounding may exceed its estimate
SAMPLES = 16  # of the errors: their standard deviation is found to within a fifth
MAX_STEPS = 4096  # of all lanes together, of which the errors are followed back


def logit_rounding(do: Array, y: Array, scale: int) -> Array:
    """The rounding error of ŷ - y in (8); where the target is almost certain, nothing else is left.

    Args:
        do: ∂L/∂o, divided by `scale`, of any shape.
        y: One-hot targets, of the same shape.
        scale: The divisor of the summed loss.
    """
    error: Array = np.finfo(np.float64).eps * (y / scale + np.abs(do))
    return error


def rounding(problem: Problem, activation: Activation, reduction: str) -> dict[str, float]:
    """Estimates the largest error of each gradient that comes from rounding ŷ - y in (8).

    One independent error for each logit is followed back as the gradient is, so that errors cancel
    as they do there, for a few samples of these errors. In a large window evenly spaced lanes stand
    for all.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".

    Returns:
        A bound on the error of each entry, by the name of the parameter.
    """
    params, random = problem.params, default_rng(0)
    noise = params.zeros_like()
    scale = divisor(problem.window, reduction)
    all_lanes = lanes(problem, activation, scale)
    T, B = problem.window.x.shape
    chosen = all_lanes[:: -(-B // max(MAX_STEPS // T, 1))]
    for lane in chosen:
        errors = np.zeros((params.state_size, SAMPLES))  # of ∂L/∂s_t
        for t in range(T, 0, -1):
            do = logit_rounding(lane.do[t], lane.y[t], scale)
            if t < T:
                errors = over_step(params, lane, t + 1).T @ errors
            top = do[:, None] * random.standard_normal((len(do), SAMPLES))
            errors[-params.hidden_size :] += params.by_layer(lane.M[t])[-1][:, None] * (
                params.V.T @ top
            )
            moved = within_step(params, lane, t).T @ errors
            das = params.by_layer(np.abs(lane.D[t]) * np.sqrt(np.mean(moved**2, axis=1)))
            noise.V[...] += np.outer(do, np.abs(params.by_layer(lane.h[t] * lane.M[t])[-1]))
            if noise.c is not None:
                noise.c[...] += do
            before = params.by_layer(np.abs(lane.h[t - 1]))
            for layer, da, h, below in zip(
                noise.layers, das, before, inputs_of(params, lane, t), strict=True
            ):
                layer.W[...] += np.outer(da, h)
                layer.U[...] += np.outer(da, np.abs(below))
                if layer.b is not None:
                    layer.b[...] += da
    return {name: MARGIN * B / len(chosen) * float(array.max()) for name, array in noise.named()}
