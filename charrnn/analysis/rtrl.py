"""The gradient forward in time: real-time recurrent learning."""

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
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import divisor
from charrnn.model.params import Params


def rtrl(problem: Problem, activation: Activation, reduction: str, entries: Entries) -> Params:
    """Gradient by equations (15) and (16), with (9) for V and c, and (25) for a stack.

    ∂s_k/∂θ is carried for the asked entries θ alone, a column (L·H,) each: for all of a W it would
    have L·H³ numbers.

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
    H = params.hidden_size
    g = params.map(lambda array: np.full_like(array, np.nan))
    total = {name: np.zeros(len(entries[name])) for name in entries}
    # the layer of an entry, the unit whose pre-activation it feeds, the input that it multiplies
    feeds: dict[str, tuple[int, Array, Array]] = {}
    for n, (suffix, layer) in enumerate(zip(params.layout.suffixes, params.layers, strict=True)):
        for name, array in ((f"W{suffix}", layer.W), (f"U{suffix}", layer.U)):
            feeds[name] = (n, *np.divmod(entries[name], array.shape[1]))
        if layer.b is not None:
            b = entries[f"b{suffix}"]
            feeds[f"b{suffix}"] = n, b, np.zeros_like(b)
    dV, dc = np.zeros_like(params.V), np.zeros(params.alphabet_size)
    for lane in lanes(problem, activation, divisor(problem.window, reduction)):
        # ∂s_0/∂θ = 0
        influence = {name: np.zeros((params.state_size, len(entries[name]))) for name in feeds}
        for t in range(1, len(lane.h)):
            dV += np.outer(lane.do[t], params.by_layer(lane.h[t] * lane.M[t])[-1])  # (9)
            dc += lane.do[t]
            S, J = within_step(params, lane, t), over_step(params, lane, t)
            dL_ds = state_gradient(params, lane, t)
            before, below = params.by_layer(lane.h[t - 1]), inputs_of(params, lane, t)
            for name, (n, unit, index) in feeds.items():
                source = {"W": before[n], "U": below[n], "b": np.ones(1)}[name[0]]
                immediate = np.zeros_like(influence[name])  # ∂a_t/∂θ*, with s_{t-1} held constant
                immediate[H * n + unit, np.arange(len(unit))] = source[index]
                carried = J @ influence[name]
                influence[name] = S @ (lane.D[t][:, None] * immediate) + carried  # (15)
                total[name] += influence[name].T @ dL_ds  # (16)
    total["V"] = dV.reshape(-1)[entries["V"]]
    if params.c is not None:
        total["c"] = dc[entries["c"]]
    for name, array in g.named():
        array.reshape(-1)[entries[name]] = total[name]
    return g


def _cost(problem: Problem) -> Cost:
    return Cost(
        jacobian_products(problem), 2 * problem.window.x.size * problem.params.state_size**2
    )


RTRL = Oracle("rtrl", rtrl, tolerance=1e-10, noise=UNDERFLOW, cost=_cost)
