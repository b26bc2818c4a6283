"""The gradient forward in time: real-time recurrent learning."""

import numpy as np

from charrnn.analysis.jacobians import lanes
from charrnn.analysis.oracles import UNDERFLOW, Entries, Oracle
from charrnn.analysis.problems import Problem
from charrnn.model.activations import Activation
from charrnn.model.bptt import divisor
from charrnn.model.params import Params


def rtrl(problem: Problem, activation: Activation, reduction: str, entries: Entries) -> Params:
    """Gradient by equations (15) and (16), with (9) for V and c.

    ∂h_k/∂θ is carried for the asked entries θ alone, a column (H,) each: for all of W it would
    have H³ numbers.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        entries: The entries to compute.

    Returns:
        The gradient; NaN in entries that were not asked for.

    Reference:
        Williams & Zipser 1989, "A learning algorithm for continually running fully recurrent
        neural networks", Neural Computation 1(2).
    """
    params = problem.params
    H, A = params.U.shape
    g = params.map(lambda array: np.full_like(array, np.nan))
    total = {name: np.zeros(len(entries[name])) for name in entries}
    feeds = {  # the unit whose pre-activation an entry feeds, and the input that it multiplies
        "W": np.divmod(entries["W"], H),
        "U": np.divmod(entries["U"], A),
    }
    if params.b is not None:
        feeds["b"] = (entries["b"], np.zeros_like(entries["b"]))
    dV, dc = np.zeros_like(params.V), np.zeros(A)
    for x, h, D, do, _ in lanes(problem, activation, divisor(problem.window, reduction)):
        influence = {name: np.zeros((H, len(entries[name]))) for name in feeds}  # ∂h_0/∂θ = 0
        for t in range(1, len(h)):
            dV += np.outer(do[t], h[t])  # (9)
            dc += do[t]
            source = {"W": h[t - 1], "U": x[t], "b": np.ones(1)}
            for name, (unit, index) in feeds.items():
                immediate = np.zeros((H, len(unit)))  # ∂a_t/∂θ*, with h_{t-1} held constant
                immediate[unit, np.arange(len(unit))] = source[name][index]
                carried = params.W @ influence[name]
                influence[name] = D[t][:, None] * (immediate + carried)  # (15)
                total[name] += influence[name].T @ (params.V.T @ do[t])  # (16)
    total["V"] = dV.reshape(-1)[entries["V"]]
    if params.c is not None:
        total["c"] = dc[entries["c"]]
    for name, array in g.named():
        array.reshape(-1)[entries[name]] = total[name]
    return g


RTRL = Oracle("rtrl", rtrl, tolerance=1e-10, noise=UNDERFLOW)
