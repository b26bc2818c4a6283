"""The gradient by the complex step."""

import numpy as np

from charrnn.analysis.oracles import SMALLEST, Entries, Oracle
from charrnn.analysis.problems import Problem
from charrnn.model.activations import Activation
from charrnn.model.bptt import window_loss
from charrnn.model.params import Params

STEP = 1e-30  # its square is nothing beside 1, so there is no truncation error


def complex_step(
    problem: Problem, activation: Activation, reduction: str, entries: Entries
) -> Params:
    """Im L(θ + is) / s for each entry θ: no difference is taken, so nothing cancels.

    Source: Squire & Trapp 1998, SIAM Review 40(1); Martins, Sturdza & Alonso 2003.
    """
    params, window, h0 = problem
    result = params.map(lambda array: np.full_like(array, np.nan))
    shifted = params.astype(np.complex128)
    for name, theta in shifted.named():
        flat, out = theta.reshape(-1), getattr(result, name).reshape(-1)
        for index in entries[name].tolist():
            flat[index] += 1j * STEP
            out[index] = window_loss(shifted, window, h0, activation, reduction).imag / STEP
            flat[index] = flat[index].real
    return result


COMPLEX_STEP = Oracle("complex-step", complex_step, tolerance=1e-10, noise=SMALLEST)
