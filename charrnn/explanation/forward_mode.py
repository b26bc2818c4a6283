"""The gradient forward in time: equations (15) and (16)."""

import time

import numpy as np

from charrnn.analysis.jacobians import over_step, state_gradient, within_step
from charrnn.arrays import Array
from charrnn.explanation.example import Example, norms, relative_difference
from charrnn.model.bptt import bptt
from charrnn.results import Columns, Curves, Matrix, Part, Statement, Table
from charrnn.wording import pluralize

MAX_DERIVATIVES = 100_000  # numbers of ∂h_k/∂W to carry; for more only those by a few weights


def forward_mode(example: Example) -> list[Part]:
    """∂h_k/∂W by the recursion, beside its unrolled sum, and what it costs."""
    params, T = example.params, example.steps
    H = params.hidden_size
    size = params.state_size * H * H
    rows, columns_of_W = (H, H) if size <= MAX_DERIVATIVES else (1, len(example.units))
    start = time.perf_counter()
    immediate, influence, dW = derivatives_by_W(example, rows, columns_of_W)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    bptt(*example.problem[:3], example.activation, "sum")
    bptt_seconds = time.perf_counter() - start
    carried = [after - now for after, now in zip(influence, immediate, strict=True)]
    unrolled = _unrolled(example, immediate)
    steps = range(1, T + 1)
    columns: Columns = {
        "k": list(steps),
        "x_k": [example.input_at(k) for k in steps],
        "‖∂h_k/∂W*‖": norms(immediate),
        "‖carried‖": norms(carried),
        "‖∂h_k/∂W‖": norms(influence),
        "unrolled": norms(unrolled),
        "difference": [relative_difference(a, b) for a, b in zip(unrolled, influence, strict=True)],
    }
    one: Columns = {"k": list(steps)}
    own = slice((example.layer - 1) * H, example.layer * H)
    for symbol, arrays in (("*", immediate), ("", influence)):
        by_first_weight = np.array([each[own][:, 0, 0] for each in arrays])
        one |= example.by_unit("unit {}" + symbol, by_first_weight)
    first = slice(len(example.units))
    shown = influence[example.step - 1][own][first, first, first]
    gradient = example.bptt[1].layers[example.layer - 1].W[:rows, :columns_of_W]
    states = params.state_size * T
    return [
        Statement(
            "∂h_k/∂W = ∂h_k/∂W* + (∂h_k/∂h_{k-1}) ∂h_{k-1}/∂W, * with h_{k-1} held constant", "(15)"
        ),
        Statement("unrolled: ∂h_k/∂W = Σ_{i≤k} (∂h_k/∂h_i) ∂h_i/∂W*"),
        Statement("dW = Σ_t (∂h_t/∂W)ᵀ Vᵀ do_t", "(16)"),
        Table(
            "recursion",
            "the recursion and the unrolled sum, as norms"
            + ("" if rows == H else f", for the first {columns_of_W} of {H * H:,} weights"),
            columns,
            equation="(15)",
        ),
        Table(
            "weight",
            f"∂h_k/∂W₁₁, the weight from unit 1 to itself; * immediate{example.units_note}",
            one,
            equation="(15)",
        ),
        Curves(
            "norms",
            "what each step adds to ∂h_k/∂W",
            "step k",
            "norm",
            np.arange(1, T + 1),
            {
                "∂h_k/∂W": np.array(columns["‖∂h_k/∂W‖"]),
                "immediate ∂h_k/∂W*": np.array(columns["‖∂h_k/∂W*‖"]),
                "carried from k - 1": np.array(columns["‖carried‖"]),
            },
            shown="picture",
        ),
        Matrix(
            "influence",
            f"∂h_{example.step}/∂W: how the state moves with each weight{example.units_note}",
            shown.reshape(len(shown), -1),
            example.unit_names,
            tuple(
                f"W {i + 1},{j + 1}" for i in range(shown.shape[1]) for j in range(shown.shape[2])
            ),
            "unit",
            "weight, to unit i from unit j",
            shown="picture",
        ),
        Statement(
            f"(16) differs from BPTT's dW by {relative_difference(dW, gradient):.0e} of its "
            "largest entry"
        ),
        Table(
            "cost",
            "what has to be kept, and the time it took",
            {
                "": ["forward mode", "BPTT"],
                "numbers": [f"{size:,}", f"{states:,}"],
                "which are": [
                    "H³, for any T" if params.depth == 1 else "L·H³ for the W of one layer",
                    "T·H" if params.depth == 1 else "T·L·H",
                ],
                "grows as": ["T·H⁴", "T·H²"] if params.depth == 1 else ["T·L²·H⁴", "T·L·H²"],
                "time": [
                    _milliseconds(seconds) + ("" if rows == H else " for these"),
                    _milliseconds(bptt_seconds),
                ],
            },
            equation="(16)",
        ),
        Statement(
            f"forward mode keeps {pluralize(size, 'number')} and no past; BPTT keeps the "
            f"{pluralize(states, 'number')} of all states"
        ),
    ]


def derivatives_by_W(  # noqa: N802
    example: Example, rows: int, columns: int
) -> tuple[list[Array], list[Array], Array]:
    """The immediate and the total derivatives of each state by the first weights of W.

    Args:
        example: The network.
        rows: The number of rows of W.
        columns: The number of columns.

    Returns:
        ∂s_k/∂W* and ∂s_k/∂W (L·H, rows, columns) for k = 1, …, T, by (15) and (25), and that part
        of dW by (16).
    """
    params, lane = example.params, example.lane
    H = params.hidden_size
    first = (example.layer - 1) * H
    dW = np.zeros((rows, columns))
    immediate, influence = [], [np.zeros((params.state_size, rows, columns))]  # s_0 is a constant
    for t in range(1, example.steps + 1):
        own = within_step(params, lane, t)[:, first : first + rows]
        own = own * lane.D[t, first : first + rows]
        immediate.append(own[:, :, None] * example.own(lane.h[t - 1])[:columns])
        carried = np.tensordot(over_step(params, lane, t), influence[-1], axes=1)
        influence.append(immediate[-1] + carried)
        dW += np.tensordot(state_gradient(params, lane, t), influence[-1], axes=1)
    return immediate, influence[1:], dW


def _unrolled(example: Example, immediate: list[Array]) -> list[Array]:
    """The sum of (15) over all steps i ≤ k, each carried from i to k by itself."""
    sums, terms = [], immediate[:0]
    for k, newest in enumerate(immediate, 1):
        J = over_step(example.params, example.lane, k)
        terms = [*(np.tensordot(J, term, axes=1) for term in terms), newest]
        sums.append(np.sum(terms, axis=0))
    return sums


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.2g} ms"
