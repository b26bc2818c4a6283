"""The gradient as a sum over pairs of a loss and an earlier step: equations (13) and (14)."""

import numpy as np

from charrnn.analysis.terms import Terms, double_sum_terms, with_sums
from charrnn.analysis.truncation import agreement
from charrnn.arrays import Array
from charrnn.explanation.example import Example, norms, relative_difference
from charrnn.results import Columns, Curves, Matrix, Part, Statement, Table
from charrnn.wording import pluralize


def terms(example: Example) -> list[Part]:
    """The terms of one loss, the triangle of all, and what rows, columns and lags add up to."""
    found = double_sum_terms(example.problem, example.activation, example.layer - 1)
    T = example.steps
    lags = np.subtract.outer(np.arange(T), np.arange(T))
    by_lag = {
        example.name(parameter): norms(found.sum(parameter, lags == lag) for lag in range(T))
        for parameter in found.factors
        if example.name(parameter) in example.params.layout.shapes
    }
    return [
        Statement("∂h_t/∂h_k = D_t W D_{t-1} W ⋯ D_{k+1} W, the identity for t = k", "(13)")
        if example.params.depth == 1
        else Statement("∂s_t/∂s_k = J_t J_{t-1} ⋯ J_{k+1}, of the states of all layers", "(25)"),
        Statement("dW = Σ_t Σ_{k≤t} [D_k (∂h_t/∂h_k)ᵀ Vᵀ do_t] ⊗ h_{k-1}", "(14)"),
        _of_one_loss(example, found),
        triangle(example, found, "loss t through step k"),
        _sums(example, found, by_lag),
        Curves(
            "lags",
            "terms of the same lag l = t - k added up",
            "lag l, characters",
            "norm of their sum",
            np.arange(T),
            {f"d{key}": np.array(sums) for key, sums in by_lag.items()},
            logarithmic="y",
            shown="picture",
        ),
        *_totals(example, found),
    ]


def triangle(example: Example, found: Terms, title: str, kept: Array | None = None) -> Matrix:
    """The norms of all terms of dW, those that are kept marked."""
    return Matrix(
        "triangle",
        f"‖term(t, k)‖ of d{example.name('W')}: {title}",
        found.norms("W"),
        example.labels,
        example.labels,
        "loss t",
        "step k",
        heat=True,
        kept=kept,
        equation="(14)" if kept is None else "(19)",
    )


def _of_one_loss(example: Example, found: Terms) -> Table:
    """The loss of one step, followed back."""
    t, H = example.step, example.params.hidden_size
    loss, step = np.indices((example.steps, example.steps)) + 1
    full = found.sum("W", loss == t).ravel()
    errors = [
        agreement(found.sum("W", (loss == t) & (step > t - lags)).ravel(), full).error
        for lags in range(1, t + 1)
    ]
    columns: Columns = {
        "k": list(range(t, 0, -1)),
        "x_k": [example.input_at(k) for k in range(t, 0, -1)],
        "lag": list(range(t)),
    }
    columns |= example.by_unit("[…],{}", found.brackets[t - 1, :t][::-1])
    columns["‖term‖"] = found.norms("W")[t - 1, :t][::-1].tolist()
    columns["missing"] = errors
    first = f"the {t} terms of L_{t}, newest first" if t > 1 else "the only term of L_1"
    units = f"units 1 to {len(example.units)} of {H}" if len(example.units) < H else ""
    return Table(
        "loss",
        ", ".join(filter(None, (f"{first}: [bracket] and norm", units))),
        columns,
        equation="(14)",
    )


def _sums(example: Example, found: Terms, by_lag: dict[str, list[float]]) -> Table:
    """Norms of the sums of each row, column and lag of the triangle."""
    T = example.steps
    t, k = np.indices((T, T)) + 1
    columns: Columns = {
        "n": list(range(1, T + 1)),
        "x_n": [example.input_at(n) for n in range(1, T + 1)],
        "row t = n": norms(found.sum("W", t == n) for n in range(1, T + 1)),
        "column k = n": norms(found.sum("W", k == n) for n in range(1, T + 1)),
    }
    columns |= {f"lag n - 1: d{name}": of_lag for name, of_lag in by_lag.items()}
    return Table(
        "sums",
        "the same terms added by row, column and lag, as norms; lags of U and b too",
        columns,
        equation="(14)",
    )


def _totals(example: Example, found: Terms) -> list[Part]:
    """Each total beside BPTT's gradient."""
    gradient = dict(example.bptt[1].named())
    sums = with_sums(example.params, found, example.layer - 1)
    pairs = example.steps * (example.steps + 1) // 2
    return [
        Table(
            "totals",
            f"{pluralize(pairs, 'term')} added, and BPTT",
            {
                "": [f"d{name}" for name in sums],
                "⊗": [
                    {"W": "h_{k-1}", "U": "x_k" if example.layer == 1 else "h_k below"}.get(
                        name[0], "1"
                    )
                    for name in sums
                ],
                "‖sum‖": norms(sums.values()),
                "‖BPTT‖": [float(np.linalg.norm(gradient[name])) for name in sums],
                "difference": [
                    relative_difference(array, gradient[name]) for name, array in sums.items()
                ],
            },
            equation="(14)",
        ),
        Statement("difference: the largest, relative to the largest entry of the gradient"),
    ]
