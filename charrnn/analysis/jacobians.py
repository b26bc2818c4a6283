"""The local derivatives that the analytic oracles multiply, written from the pre-activations."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states


class Lane(NamedTuple):
    """One lane of a window; arrays count time as the equations do, entry 0 is before the window.

    x, y (T+1, A): one-hot inputs and targets; y is zero where there is no target. h (T+1, H).
    D (T+1, H): the diagonal of D_t = diag f′(a_t). do (T+1, A): ∂L/∂o_t, divided as the loss is.
    Entry 0 of all but h means nothing.
    """

    x: Array
    h: Array
    D: Array
    do: Array
    y: Array


def _cosh(a: Array) -> Array:
    bounded: Array = np.cosh(np.clip(a, -300, 300))  # its square is finite, and f′ has vanished
    return bounded


# f′(a) from a, not from f(a) as the backward pass has it
SLOPES: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda a: 1 / _cosh(a) ** 2,
    "sigmoid": lambda a: 0.25 / _cosh(0.5 * a) ** 2,
    "relu": lambda a: (a > 0).astype(a.dtype),
}


def lanes(problem: Problem, activation: Activation, divisor: int) -> list[Lane]:
    """The forward pass (1)-(4) and the derivatives next to it: D_t of (11), do_t of (8)."""
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
