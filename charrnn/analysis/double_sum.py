"""The gradient as an explicit sum over all pairs of a loss and an earlier use of the weights."""

from collections.abc import Callable

import numpy as np

from charrnn.analysis.jacobians import (
    inputs_of,
    lanes,
    over_step,
    state_gradient,
    within_step,
)
from charrnn.analysis.oracles import UNDERFLOW, Entries, Oracle
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
        for t in range(1, len(lane.h)):
            g.V[...] += np.outer(lane.do[t], params.by_layer(lane.h[t] * lane.M[t])[-1])  # (9)
            if g.c is not None:
                g.c[...] += lane.do[t]
            dL_ds = state_gradient(params, lane, t)
            ds_t_ds_k = np.eye(params.state_size)
            for k in range(t, 0, -1):
                if reach is not None and t - k >= reach(t):
                    break
                # the bracket of (14), through the layers above within step k
                terms = lane.D[k] * (within_step(params, lane, k).T @ (ds_t_ds_k.T @ dL_ds))
                for layer, term, before, below in zip(
                    g.layers,
                    params.by_layer(terms),
                    params.by_layer(lane.h[k - 1]),
                    inputs_of(params, lane, k),
                    strict=True,
                ):
                    layer.W[...] += np.outer(term, before)
                    layer.U[...] += np.outer(term, below)
                    if layer.b is not None:
                        layer.b[...] += term
                # (13), (25): one factor J_k more, on the right, as k moves one step back
                ds_t_ds_k = ds_t_ds_k @ over_step(params, lane, k)
    return g


DOUBLE_SUM = Oracle("double-sum", double_sum, tolerance=1e-10, noise=UNDERFLOW)
