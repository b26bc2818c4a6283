"""The gradient as an explicit sum over all pairs of a loss and an earlier use of the weights."""

from collections.abc import Callable

import numpy as np

from charrnn.analysis.jacobians import lanes
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
    """Gradient by equations (13) and (14), with (9) for V and c.

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
    W, V = params.W, params.V
    g = params.zeros_like()
    for x, h, D, do, _ in lanes(problem, activation, divisor(problem.window, reduction)):
        for t in range(1, len(h)):
            g.V[...] += np.outer(do[t], h[t])  # (9)
            if g.c is not None:
                g.c[...] += do[t]
            dh_t_dh_k = np.eye(params.hidden_size)
            for k in range(t, 0, -1):
                if reach is not None and t - k >= reach(t):
                    break
                term = D[k] * (dh_t_dh_k.T @ V.T @ do[t])  # the bracket of (14)
                g.W[...] += np.outer(term, h[k - 1])
                g.U[...] += np.outer(term, x[k])
                if g.b is not None:
                    g.b[...] += term
                # (13): one factor D_k W more, on the right, as k moves one step back
                dh_t_dh_k = dh_t_dh_k @ (D[k][:, None] * W)
    return g


DOUBLE_SUM = Oracle("double-sum", double_sum, tolerance=1e-10, noise=UNDERFLOW)
