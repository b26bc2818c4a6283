"""The derivative of the softmax, and how it becomes ŷ - y: equations (7) and (8)."""

import numpy as np

from charrnn.arrays import Array
from charrnn.explanation.example import Example
from charrnn.model.loss import softmax
from charrnn.results import Matrix, Part, Statement, Table
from charrnn.wording import decimal


def softmax_jacobian(probabilities: Array, rows: list[int]) -> Array:
    """∂ŷ_i/∂o_j (n, A) of probabilities ŷ (A,), for the ids i of some rows, equation (7)."""
    jacobian: Array = -np.outer(probabilities[rows], probabilities)
    jacobian[np.arange(len(rows)), rows] += probabilities[rows]
    return jacobian


def softmax_derivative(example: Example) -> list[Part]:
    """The Jacobian of the softmax at one step, and its product with ∂L_t/∂ŷ."""
    t, lane = example.step, example.lane
    p, y = softmax(example.o[t]), lane.y[t]
    target, shown = example.target_at(t), example.shown
    by_probability = -y / p  # of the target alone; the other y_i are 0
    i = example.alphabet.index(target)
    total = by_probability[i] * softmax_jacobian(p, [i])[0]
    same = np.where(y, total, 0.0)  # the case i = j
    cut = len(example.alphabet) - len(shown)
    note = f", {len(shown)} of {len(example.alphabet)} characters" if cut else ""
    return [
        Statement("∂ŷ_i/∂o_j = ŷ_i (δ_ij - ŷ_j): ŷ_i (1 - ŷ_i) if i = j, else -ŷ_i ŷ_j", "(7)"),
        Statement("∂L_t/∂ŷ_i = -y_i/ŷ_i; over all i, the chain rule gives do_t = ŷ_t - y_t", "(8)"),
        Statement(
            f"t = {t}: after {example.input_at(t)!r} comes {target!r}, predicted with "
            f"probability {decimal(float(p @ y))}"
        ),
        Matrix(
            "jacobian",
            f"∂ŷ_i/∂o_j at step {t}{note}",
            softmax_jacobian(p, shown)[:, shown],
            example.characters,
            example.characters,
            "ŷ_i",
            "o_j",
            equation="(7)",
        ),
        Table(
            "sum",
            "its sum with ∂L_t/∂ŷ, for each o_j",
            {
                "j": list(example.characters),
                "y_j": y[shown].astype(int).tolist(),
                "ŷ_j": p[shown].tolist(),
                "-y_j/ŷ_j": by_probability[shown].tolist(),
                "i = j": same[shown].tolist(),
                "i ≠ j": (total - same)[shown].tolist(),
                "sum": total[shown].tolist(),
                "ŷ_j - y_j": lane.do[t][shown].tolist(),
            },
            equation="(8)",
        ),
        Statement(
            "the case i = j alone is 0 for every logit but the target's: only i ≠ j lowers the "
            "logits of the other characters"
        ),
    ]
