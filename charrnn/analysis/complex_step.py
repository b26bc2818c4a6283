"""The gradient by the complex step."""

import numpy as np

from charrnn.analysis.oracles import UNDERFLOW, Cost, Entries, Oracle, loss_products
from charrnn.analysis.problems import Problem
from charrnn.model.activations import Activation
from charrnn.model.bptt import window_loss
from charrnn.model.params import Params

STEP = 1e-30  # its square is negligible beside 1, so there is no truncation error


def complex_step(
    problem: Problem, activation: Activation, reduction: str, entries: Entries
) -> Params:
    """Gradient Im L(θ + is) / s of each entry θ: nothing is subtracted, so nothing cancels.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        entries: The entries to compute.

    Returns:
        The gradient; NaN in entries that were not asked for.

    Reference:
        Squire & Trapp 1998, "Using complex variables to estimate derivatives of real functions",
        SIAM Review 40(1); Martins, Sturdza & Alonso 2003, "The complex-step derivative
        approximation", ACM TOMS 29(3).
    """
    params, window, h0, mask = problem
    result = params.map(lambda array: np.full_like(array, np.nan))
    shifted = params.astype(np.complex128)
    for (name, theta), (_, derivatives) in zip(shifted.named(), result.named(), strict=True):
        flat, out = theta.reshape(-1), derivatives.reshape(-1)
        for index in entries[name].tolist():
            flat[index] += 1j * STEP
            loss = window_loss(shifted, window, h0, activation, reduction, mask)
            out[index] = loss.imag / STEP
            flat[index] = flat[index].real
    return result


COMPLEX_STEP = Oracle(
    "complex-step",
    complex_step,
    tolerance=1e-10,
    noise=UNDERFLOW,
    # a complex product is four real ones, and the activation takes longer than a real one
    cost=lambda problem: Cost(0, 6 * loss_products(problem)),
)
