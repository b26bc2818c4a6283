"""Which terms truncated BPTT keeps: equation (19)."""

import numpy as np

from charrnn.analysis.terms import Terms, double_sum_terms
from charrnn.analysis.truncation import agreement
from charrnn.arrays import Array
from charrnn.explanation.example import Example
from charrnn.explanation.terms import triangle
from charrnn.results import Agreement, Columns, Curves, Part, Statement, Table
from charrnn.wording import decimal, pluralize


def truncation(example: Example) -> list[Part]:
    """The triangle of terms with those of BPTT(k1, k2), and the share of the gradient they are."""
    found = double_sum_terms(example.problem, example.activation, example.layer - 1)
    T, name = example.steps, example.name("W")
    stride, reach = example.stride, example.reach
    kept = kept_terms(T, stride, reach)
    reaches = sorted({*(2**n for n in range(T.bit_length())), T})
    rows = [(k1, k2) for k2 in reaches for k1 in sorted({1, k2})]
    errors = {
        (k1, k2): compare(found, kept_terms(T, k1, k2)) for k1, k2 in [*rows, (stride, reach)]
    }
    cosine, ratio, error = errors[stride, reach]
    count, total = int(kept.sum()), T * (T + 1) // 2
    columns: Columns = {
        "k2": [k2 for _, k2 in rows],
        "k1": [k1 for k1, _ in rows],
        "terms": [int(kept_terms(T, *row).sum()) for row in rows],
        "cosine": [errors[row][0] for row in rows],
        "‖g‖/‖G‖": [errors[row][1] for row in rows],
        "error": [f"{errors[row][2]:.1%}" for row in rows],
    }
    return [
        Statement(
            "dW = Σ_t Σ_k [… of (14)] with 0 ≤ t-k < r(t), r(t) = k2 - (e(t) - t), "
            "e(t) = k1 ⌈t/k1⌉",
            "(19)",
        ),
        Statement(
            f"every k1 = {stride} characters, back over k2 = {reach}: the losses since the sweep "
            "before, each as far back as the sweep goes"
        ),
        triangle(example, found, f"what BPTT({stride}, {reach}) keeps", kept),
        Statement(
            f"{count} of {pluralize(total, 'term')} kept; their sum g is {ratio:.0%} as long as "
            f"the full d{name}, G, at a cosine of {decimal(cosine)}: ‖g - G‖/‖G‖ = {error:.1%}"
        ),
        Table("windows", f"other windows, for d{name}", columns, equation="(19)"),
        Statement("k1 = 1: each loss goes back k2 steps; k1 = k2: windows end to end"),
        Curves(
            "errors",
            f"error of the truncated d{name}",
            "k2, characters",
            "‖g - G‖ / ‖G‖",
            np.array(reaches),
            {
                "each loss back k2 steps": np.array([errors[1, k2][2] for k2 in reaches]),
                "windows of k2, end to end": np.array([errors[k2, k2][2] for k2 in reaches]),
            },
            shown="picture",
        ),
    ]


def kept_terms(steps: int, stride: int, reach: int) -> Array:
    """Whether BPTT(k1, k2) has the term of loss t and step k (T, T), equation (19)."""
    t, k = np.indices((steps, steps)) + 1
    sweep = stride * -(-t // stride)
    kept: Array = (t >= k) & (t - k < reach - (sweep - t))
    return kept


def compare(found: Terms, kept: Array) -> Agreement:
    """A partial dW against all of it."""
    return agreement(found.sum("W", kept).ravel(), found.sum("W").ravel())
