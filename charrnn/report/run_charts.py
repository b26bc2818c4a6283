"""Prints what runs logged as charts in text."""

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from charrnn.report.charts import Curve, Level, line_chart
from charrnn.report.event_lines import figure
from charrnn.report.run_curves import (
    Axis,
    Points,
    What,
    along,
    baselines_of,
    clip_thresholds,
    lag_matrix,
    layers_of,
    smoothed,
    spread,
    step_curve,
    validation_curve,
)
from charrnn.report.shades import shade_map
from charrnn.report.terminal import print_line, table_console
from charrnn.results import RunGroup
from charrnn.system.escaping import harmless_message

DEFAULT_WIDTH, DEFAULT_HEIGHT = 80, 20  # off a terminal
MAX_HEIGHT, PROMPT = 28, 3  # lines of one chart, and those that the terminal shows besides
SEVERAL = 16  # lines of each of several charts
BINS = 200
MAX_ABOVE_UNIFORM = 1.05


def print_charts(
    groups: Sequence[RunGroup],
    whats: Sequence[What] = ("loss",),
    axis: Axis = "steps",
    title: str | None = None,
) -> None:
    """Prints a chart for each of `whats`; of several seeds of one config, the mean.

    Args:
        groups: The runs; at least one.
        whats: What to show.
        axis: What the x axes show.
        title: A line above; none by default.
    """
    console = table_console()
    width, height = chart_size(console, several=len(set(whats)) > 1)
    if title:
        print_line(console, harmless_message(title), style="bold")
    for number, what in enumerate(dict.fromkeys(whats)):
        if number:
            console.print()
        if what == "lag-profile":
            _print_lag_profiles(console, groups, axis, width, height)
            continue
        draw = {"loss": _loss, "gradient": _gradient, "learning-rate": _learning_rate}[what]
        console.print(draw(groups, axis, width, height), soft_wrap=True, highlight=False)


def chart_size(console: Console, *, several: bool) -> tuple[int, int]:
    """The columns and lines of a chart on a console, which are less if there are several."""
    width, height = DEFAULT_WIDTH, DEFAULT_HEIGHT
    if console.is_terminal:
        width, height = console.width, min(console.height - PROMPT, MAX_HEIGHT)
    return width, min(height, SEVERAL) if several else height


def _loss(groups: Sequence[RunGroup], axis: Axis, width: int, height: int) -> Text:
    alone = len(groups) == 1
    curves = []
    for group in groups:
        train = _mean([step_curve(run, "nats_per_character", axis) for run in group.runs])
        validation = spread([validation_curve(run, axis) for run in group.runs])
        if alone or not len(validation.x):
            curves.append(_labelled("training" if alone else group.label, train))
        if len(validation.x):
            name = "validation" if alone else group.label
            curves.append(_labelled(name, Points(validation.x, validation.y)))
    levels = []
    uniform = baselines_of(groups, "uniform_nats_per_character")
    ngram = baselines_of(groups, "ngram_nats_per_character")
    for name, found in (("n-gram", ngram), ("uniform", uniform)):
        if len(found) == 1:
            levels.append(Level(f"{name} {figure(found[0][1])}", found[0][1]))
    highest = MAX_ABOVE_UNIFORM * max((value for _, value in uniform), default=np.inf)
    what = "loss" if alone else "validation loss"
    return line_chart(
        curves, width, height, levels=levels, x=axis, highest=highest,
        title=f"{what}, nats per character{_of(groups)}",
    )  # fmt: skip


def _gradient(groups: Sequence[RunGroup], axis: Axis, width: int, height: int) -> Text:
    curves = []
    for group in groups:
        norms = _mean([step_curve(run, "gradient_norm", axis) for run in group.runs])
        shares = [run.log.steps[-1].clipped_share for run in group.runs if run.log.steps]
        share = f"{100 * float(np.mean(shares)):.3g} %" if shares else ""
        name = f"clipped: {share}" if len(groups) == 1 else f"{group.label} {share}"
        curves.append(Curve(name, norms.x, norms.y))
    levels = [Level(f"threshold {one:g}", one) for one in clip_thresholds(groups)]
    title = "gradient norm before clipping"
    title += _of(groups) if len(groups) == 1 else ", and the share of clipped steps"
    return line_chart(
        curves, width, height, levels=levels, x=axis, logarithmic=True, title=title
    )  # fmt: skip


def _learning_rate(groups: Sequence[RunGroup], axis: Axis, width: int, height: int) -> Text:
    curves = []
    for group in groups:
        rates = spread([step_curve(run, "learning_rate", axis) for run in group.runs])
        curves.append(Curve("" if len(groups) == 1 else group.label, rates.x, rates.y))
    return line_chart(curves, width, height, x=axis, title=f"learning rate{_of(groups)}")


def _print_lag_profiles(
    console: Console, groups: Sequence[RunGroup], axis: Axis, width: int, height: int
) -> None:
    shown = [group.runs[0] for group in groups if group.runs[0].log.lag_profiles]
    if not shown:
        print_line(console, "no lag profile was logged")
    for run in shown:
        layer = layers_of(run)[-1]
        profiles, matrix = lag_matrix(run, layer)
        places = along(run, np.array([one.step for one in profiles], np.float64), axis)
        of = "" if layer is None else f", layer {layer}"
        title = f"gradient flow{of}: norm relative to lag 0 ({harmless_message(run.label)})"
        print_line(console, title, style="bold")
        lines = shade_map(matrix, places, width, height - 1, x=axis, y="lag")
        console.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)


def _mean(curves: Sequence[Points]) -> Points:
    mean = spread([smoothed(curve, BINS) for curve in curves])
    return Points(mean.x, mean.y)


def _labelled(name: str, points: Points) -> Curve:
    last = f" {figure(float(points.y[-1]))}" if len(points.y) else ""
    return Curve(name + last, points.x, points.y)


def _of(groups: Sequence[RunGroup]) -> str:
    return f": {groups[0].label}" if len(groups) == 1 else ""
