"""The gradient of the output weights: equation (9)."""

import numpy as np

from charrnn.explanation.example import Example, norms, relative_difference
from charrnn.results import Matrix, Part, Statement, Table


def output(example: Example) -> list[Part]:
    """dV and dc as one outer product and one vector a step."""
    lane, (_, gradient), t = example.lane, example.bptt, example.step
    h = example.params.by_layer(lane.h)[-1]
    steps = range(1, example.steps + 1)
    error = relative_difference(lane.do[1:].T @ h[1:], gradient.V)
    if gradient.c is not None:
        error = max(error, relative_difference(lane.do[1:].sum(axis=0), gradient.c))
    shown = np.ix_(example.shown, example.units)
    return [
        Statement(
            "dV = Σ_t do_t ⊗ h_t, dc = Σ_t do_t, with do_t = ŷ_t - y_t"
            if gradient.c is not None
            else "dV = Σ_t do_t ⊗ h_t, with do_t = ŷ_t - y_t",
            "(9)",
        ),
        Table(
            "steps",
            "what each step adds, as norms",
            {
                "t": list(steps),
                "x_t": [example.input_at(t) for t in steps],
                "y_t": [example.target_at(t) for t in steps],
                "do_t(y_t)": [float(lane.do[t] @ lane.y[t]) for t in steps],
                "‖do_t‖": norms(lane.do[1:]),
                "‖h_t‖": norms(h[1:]),
                "‖do_t ⊗ h_t‖": norms(map(np.outer, lane.do[1:], h[1:])),
            },
            equation="(9)",
        ),
        Matrix(
            "product",
            f"do_t ⊗ h_t at t = {t}{example.units_note}",
            np.outer(lane.do[t], h[t])[shown],
            example.characters,
            example.unit_names,
            "logit of",
            "unit",
            equation="(9)",
        ),
        Matrix(
            "dV",
            f"dV, the sum of all steps{example.units_note}",
            gradient.V[shown],
            example.characters,
            example.unit_names,
            "logit of",
            "unit",
            equation="(9)",
        ),
        Statement(f"the sums differ from those of BPTT by {error:.0e} of their largest entries"),
        Statement(
            f"V is used once in each o_t, after h_t is known: the outer product of step {t} has "
            f"only do_{t} and h_{t} in it"
        ),
    ]
