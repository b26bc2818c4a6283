"""Back-propagation through time, step by step: equations (10) to (12)."""

from itertools import accumulate

import numpy as np

from charrnn.analysis.backward_pass import backward_pass
from charrnn.analysis.jacobians import inputs_of
from charrnn.explanation.example import Example, norms, relative_difference
from charrnn.results import Columns, Matrix, Part, Statement, Table


def backward(example: Example) -> list[Part]:
    """dh_t and da_t from the last step to the first, and what each step adds to the gradient."""
    lane, (_, gradient) = example.lane, example.bptt
    layer = gradient.layers[example.layer - 1]
    found = backward_pass(example.problem, example.activation)
    above, later, da = (
        example.own(array[:, 0]) for array in (found.from_above, found.from_later, found.da)
    )
    before = example.own(lane.h[:-1])
    below = np.array(
        [inputs_of(example.params, lane, t)[example.layer - 1] for t in range(1, len(lane.h))]
    )
    ones = np.ones((example.steps, 1))
    sums = {"dW": (before, layer.W), "dU": (below, layer.U), "db": (ones, layer.b)}
    errors = [
        relative_difference(da.T @ factors, expected.reshape(len(expected), -1))
        for factors, expected in sums.values()
        if expected is not None
    ]
    steps = range(example.steps, 0, -1)
    backwards = slice(None, None, -1)
    columns: Columns = {
        "t": list(steps),
        "x_t": [example.input_at(t) for t in steps],
        "above": norms(above[backwards]),
        "later": norms(later[backwards]),
    }
    columns |= example.by_unit("dh_t,{}", (above + later)[backwards])
    columns |= example.by_unit("da_t,{}", da[backwards])
    added: Columns = {"t": list(steps), "da_t": norms(da[backwards])}
    below_is = "x_t" if example.layer == 1 else "h_t below"
    for name, symbol in (("dW", "h_{t-1}"), ("dU", below_is), ("db", "1")):
        if sums[name][1] is None:
            continue
        added[f"{name}: ⊗ {symbol}"] = norms(map(np.outer, da, sums[name][0]))[backwards]
    so_far = accumulate(map(np.outer, da[backwards], before[backwards]))
    added["dW so far"] = norms(so_far)
    shown = np.ix_(example.units, example.units)
    recursion, added_up = ("(10), (11)", "(12)") if example.params.depth == 1 else ("(23)", "(24)")
    return [
        *_equations(example),
        Table(
            "recursion",
            f"from the last step to the first{example.units_note}",
            columns,
            equation=recursion,
        ),
        Statement("above: the norm of what comes from above; later: of Wᵀ da_{t+1}"),
        Table("added", "what each step adds, as norms", added, equation=added_up),
        Matrix(
            "dW",
            f"dW, the sum of all steps{example.units_note}",
            layer.W[shown],
            example.unit_names,
            example.unit_names,
            "to unit",
            "from unit",
            equation=added_up,
        ),
        example.over_time("da", "da_t = ∂L/∂a_t", da),
        Statement(
            f"the sums differ from those of BPTT by {max(errors):.0e} of their largest entries"
        ),
    ]


def _equations(example: Example) -> list[Part]:
    n, top = example.layer, example.params.depth
    bias = example.weights.b is not None
    if top == 1:
        return [
            Statement(
                "dh_t = Vᵀ do_t + Wᵀ da_{t+1}, the second term zero at the last step", "(10)"
            ),
            Statement("da_t = D_t dh_t, D_t = diag f′(a_t)", "(11)"),
            Statement(
                "dW = Σ_t da_t ⊗ h_{t-1}, dU = Σ_t da_t ⊗ x_t" + ", db = Σ_t da_t" * bias, "(12)"
            ),
        ]
    above = "Vᵀ do_t" if n == top else f"(U^{n + 1})ᵀ da_t^{n + 1}"
    below = f"h_t^{n - 1}" if n > 1 else "x_t"
    return [
        Statement(f"dh_t^{n} = {above} + (W^{n})ᵀ da_{{t+1}}^{n}", "(23)"),
        Statement(
            f"da_t^{n} = D_t^{n} dh_t^{n}, dW^{n} = Σ_t da_t^{n} ⊗ h_{{t-1}}^{n}, "
            f"dU^{n} = Σ_t da_t^{n} ⊗ {below}" + f", db^{n} = Σ_t da_t^{n}" * bias,
            "(24)",
        ),
    ]
