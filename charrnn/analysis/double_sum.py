"""The gradient as an explicit sum over all pairs of a loss and an earlier use of the weights."""

from collections.abc import Callable

import numpy as np

from charrnn.analysis.jacobians import (
    inputs_of,
    jacobian_products,
    lanes,
    over_step,
    state_gradient,
    within_step,
)
from charrnn.analysis.oracles import UNDERFLOW, Cost, Entries, Oracle
from charrnn.analysis.problems import Problem
from charrnn.model.activations import Activation
from charrnn.model.bptt import divisor
from charrnn.model.params import Params


def double_sum(
    problem: Problem,
    activation: Activation,
    reduction: str,
    entries: Entries | None = None,
    reach: Callable[[int], int] | None = None,
) -> Params:
    """Gradient by equations (13) and (14), with (9) for V and c, and (25) for a stack.

    Each loss is followed back by itself: nothing is added up before the bracket of (14) is
    complete.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        entries: Ignored; every entry is computed.
        reach: Maps t to the number of steps that loss t is followed back, so that only the terms
            with t - k < reach(t) are added. If None, all of them.

    Returns:
        The gradient.
    """
    params = problem.params
    g = params.zeros_like()
    for lane in lanes(problem, activation, divisor(problem.window, reduction)):
        T = len(lane.h) - 1
        # row t: (∂s_t/∂s_k)ᵀ ∂L_t/∂s_t, of the losses t ≥ k
        followed = np.zeros((T + 1, params.state_size))
        for k in range(T, 0, -1):
            if k < T:  # (13), (25): one factor J_{k+1} more, as k moves one step back
                followed[k + 1 :] = followed[k + 1 :] @ over_step(params, lane, k + 1)
            followed[k] = state_gradient(params, lane, k)
            g.V[...] += np.outer(lane.do[k], params.by_layer(lane.h[k] * lane.M[k])[-1])  # (9)
            if g.c is not None:
                g.c[...] += lane.do[k]
            # the brackets of (14), one of each loss, through the layers above within step k
            brackets = lane.D[k] * (followed[k:] @ within_step(params, lane, k))
            if reach is not None:
                brackets = brackets[[t - k < reach(t) for t in range(k, T + 1)]]
            for layer, terms, before, below in zip(
                g.layers,
                params.by_layer(brackets),
                params.by_layer(lane.h[k - 1]),
                inputs_of(params, lane, k),
                strict=True,
            ):
                term = terms.sum(axis=0)  # Σ_t of (14); the other factor does not depend on t
                layer.W[...] += np.outer(term, before)
                layer.U[...] += np.outer(term, below)
                if layer.b is not None:
                    layer.b[...] += term
    return g


def _cost(problem: Problem) -> Cost:
    T, B = problem.window.x.shape
    pairs = B * T * (T + 1) // 2
    followed = 2 * pairs * problem.params.state_size**2
    return Cost(followed + jacobian_products(problem), 0)


DOUBLE_SUM = Oracle("double-sum", double_sum, tolerance=1e-10, noise=UNDERFLOW, cost=_cost)
