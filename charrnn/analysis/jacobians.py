"""Local derivatives for the analytic oracles, computed from the pre-activations."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states


class Lane(NamedTuple):
    """One lane of a window; arrays count time as the equations do, from 1.

    Attributes:
        x: One-hot inputs (T+1, A). Entry 0 of this and all arrays but h is meaningless.
        h: States (T+1, H); h[0] is the state before the window.
        D: Diagonal of D_t = diag f′(a_t), (T+1, H).
        do: ∂L/∂o_t (T+1, A), divided as the loss is.
        y: One-hot targets (T+1, A), zero where there is no target.
    """

    x: Array
    h: Array
    D: Array
    do: Array
    y: Array


def _cosh(a: Array) -> Array:
    bounded: Array = np.cosh(np.clip(a, -300, 300))  # its square is finite, and f′ has vanished
    return bounded


# f′(a) computed from a; the backward pass computes it from f(a)
SLOPES: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda a: 1 / _cosh(a) ** 2,
    "sigmoid": lambda a: 0.25 / _cosh(0.5 * a) ** 2,
    "relu": lambda a: (a > 0).astype(a.dtype),
}


def lanes(problem: Problem, activation: Activation, divisor: int) -> list[Lane]:
    """Runs the forward pass (1)-(4) and computes D_t of (11) and do_t of (8).

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f; its name has to be in SLOPES.
        divisor: Divisor of the summed loss.

    Returns:
        States and derivatives of each lane.

    Raises:
        KeyError: The activation is not in SLOPES.
    """
    params, (x, y, *_), h0 = problem
    T, B = x.shape
    identity = np.eye(params.alphabet_size)
    h = states(params, x, h0, activation)
    probabilities = softmax(logits(params, h[1:]))
    result = []
    for lane in range(B):
        one_hot = identity[np.append(0, x[:, lane])]
        before = np.concatenate([h[:1, lane], h[:-1, lane]])
        a = one_hot @ params.U.T + before @ params.W.T
        if params.b is not None:
            a += params.b
        counted = y[:, lane, None] >= 0
        targets = np.zeros((T + 1, params.alphabet_size))
        targets[1:] = identity[y[:, lane]] * counted
        do = np.zeros_like(targets)
        do[1:] = (probabilities[:, lane] - targets[1:]) * counted / divisor
        result.append(Lane(one_hot, h[:, lane], SLOPES[activation.name](a), do, targets))
    return result
