"""How gradients flow back in time, in a page: profiles by lag and the terms of the double sum."""

from collections.abc import Sequence

import numpy as np

from charrnn.arrays import Array
from charrnn.events import LagProfile
from charrnn.report.page_figures import Figure, chart_figure, map_figure
from charrnn.report.svg_charts import Chart, HeatMap, Line
from charrnn.results import GradientFlow, Matrix, RunLog

DECADES = 3  # shades from 1 down to 10^-3 of lag 0
LOWEST = 1e-3
MAX_LAGS, MAX_PROFILES = 64, 40  # of the heat map
TINY, LARGEST = 1e-30, 1e30
VISIBLE = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})


def flow_figure(flow: GradientFlow | None, log: RunLog) -> Figure | None:
    """What is left of a gradient by lag: early in training, and of the model now with its bound."""
    lines: list[Line] = []
    profiles = _top_layer(log.lag_profiles)
    if profiles:
        first = _relative(profiles[0].norms)
        lags = np.arange(len(first), dtype=float)
        lines.append(Line(f"at step {profiles[0].step:,}", lags, first, "s3"))
    if flow:
        top = flow.flows[-1]
        norms, bound = _relative(top.norms), _relative(top.bound, float(top.norms[0]))
        lags = np.arange(len(norms), dtype=float)
        lines.append(Line("upper bound", lags, bound, "bound"))
        lines.append(Line("this model", lags, norms, "s1"))
    elif profiles[1:]:
        last = _relative(profiles[-1].norms)
        lags = np.arange(len(last), dtype=float)
        lines.append(Line(f"at step {profiles[-1].step:,}", lags, last, "s1"))
    if not lines:
        return None
    cut = max(_reach(line) for line in lines if line.look != "bound")
    lines = [Line(n.label, n.x[: cut + 1], n.y[: cut + 1], n.look) for n in lines]
    chart = Chart(
        "What is left of a gradient, by lag", "characters back", "share of lag 0",
        tuple(lines), limits=(LOWEST, 3.0), logarithmic=True,
    )  # fmt: skip
    return chart_figure("flow", chart)


def history_figure(log: RunLog) -> Figure | None:
    """The lag profiles of the top layer over the run, as shades; None for fewer than three."""
    profiles = _top_layer(log.lag_profiles)
    if len(profiles) < 3:
        return None
    chosen = np.unique(np.linspace(0, len(profiles) - 1, MAX_PROFILES).round().astype(int))
    profiles = [profiles[n] for n in chosen]
    lags = min(max(len(found.norms) for found in profiles), MAX_LAGS)
    shares = np.full((lags, len(profiles)), np.nan)
    for column, found in enumerate(profiles):
        relative = _relative(found.norms)[:lags]
        shares[: len(relative), column] = 1 + np.log10(relative) / DECADES
    left = [row for row in range(lags) if np.nanmax(shares[row], initial=0) > 0]
    shares = np.clip(shares[: max(left, default=0) + 1], 0, 1)
    lags, every = len(shares), max(-(-len(shares) // 6), 1)
    rows = [(lag + 0.5, f"{lag}") for lag in range(0, lags, every)]
    some = sorted({0, len(profiles) // 2, len(profiles) - 1})
    columns = [(n + 0.5, f"{profiles[n].step:,}") for n in some]
    title = "What is left of a gradient, by step and lag"
    return map_figure("history", HeatMap(title, shares, rows, columns), "step", "characters back")


def terms_figure(terms: Matrix) -> Figure:
    """The triangle of the terms of dW."""
    norms = np.nan_to_num(terms.values, nan=0.0)
    largest = max(float(norms.max(initial=0.0)), TINY)
    shares = np.where(np.isnan(terms.values), np.nan, np.sqrt(norms / largest))
    labels = [label.partition(" ")[2].translate(VISIBLE) for label in terms.rows]
    notes = {
        (row, column): f"loss {row + 1} {labels[row]}, step {column + 1} {labels[column]}: "
        f"{terms.values[row, column]:.2g}"
        for row, column in zip(*np.nonzero(np.isfinite(shares)), strict=True)
    }
    places = [(n + 0.5, label) for n, label in enumerate(labels)]
    heat_map = HeatMap("The terms of dW, by loss and step", shares, places, places, notes)
    return map_figure("terms", heat_map, "step k that the gradient reaches", "loss t")


def _top_layer(profiles: Sequence[LagProfile]) -> list[LagProfile]:
    """The profiles of the top layer that have any norm, in the order of their steps."""
    top = max((found.layer or 1 for found in profiles), default=1)
    shown = [found for found in profiles if (found.layer or 1) == top and found.norms]
    return sorted(shown, key=lambda found: found.step)


def _relative(norms: Array | Sequence[float], to: float | None = None) -> Array:
    """Norms relative to the one at lag 0, within what can be drawn."""
    values = np.nan_to_num(np.array(norms, float), nan=TINY, posinf=LARGEST, neginf=TINY)
    values = np.clip(values, TINY, LARGEST)
    first = float(values[0]) if to is None else min(max(to, TINY), LARGEST)
    return np.asarray(np.clip(values / first, TINY, LARGEST))


def _reach(line: Line) -> int:
    """The last lag at which a curve is above the lower end of the chart."""
    return int(np.flatnonzero(line.y > LOWEST).max(initial=3)) + 1
