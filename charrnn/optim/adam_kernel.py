"""Adam's update, in the part of Python that numba compiles."""

import numpy as np

from charrnn.model.kernels import exact


@exact
def adam(theta, g, m, v, beta1, beta2, step, epsilon):
    """Adam's update of weights (N,), with the bits of NumPy; whether all is finite then.

    `step` is lr √(1-β₂ⁿ) / (1-β₁ⁿ), and `epsilon` is added to √v.
    """
    number, wrong = theta.dtype.type, False
    b1, rest1 = number(beta1), number(1 - beta1)
    b2, rest2 = number(beta2), number(1 - beta2)
    factor, added = number(step), number(epsilon)
    for i in range(theta.size):
        x = g[i]
        squares = v[i] * b2 + x * x * rest2
        average = m[i] * b1 + x * rest1
        updated = theta[i] - average * factor / (np.sqrt(squares) + added)
        v[i] = squares
        m[i] = average
        theta[i] = updated
        wrong |= (not np.isfinite(squares)) | (not np.isfinite(updated))
    return not wrong
