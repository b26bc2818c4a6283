"""Plots what runs logged with matplotlib: loss, gradient norm, learning rate, lag profiles."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from charrnn.report.event_lines import figure
from charrnn.report.figures import finish, heat_map, label_lines, new_figure
from charrnn.report.run_curves import (
    WHATS,
    Axis,
    Points,
    What,
    along,
    baselines_of,
    clip_thresholds,
    clipped_curve,
    lag_matrix,
    layers_of,
    smoothed,
    spread,
    step_curve,
    validation_curve,
)
from charrnn.results import RunGroup, RunHistory
from charrnn.wording import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

BINS, CLIPPED_BINS = 120, 40  # of the curves of noisy steps
MAX_MAPS = 6  # of lag profiles
MAX_COLUMN_LABELS = 6
SMALLEST = 1e-6  # of what heat maps show, relative to lag 0
MAX_ABOVE_UNIFORM = 1.15  # times the uniform loss, which a diverging loss may exceed by far
REFERENCE = "dimgray"


def plot_runs(
    groups: Sequence[RunGroup],
    whats: Sequence[What] = WHATS,
    axis: Axis = "steps",
    title: str | None = None,
) -> "Figure":
    """Plots runs, overlaid; of several seeds of one config, the mean and the range.

    Args:
        groups: The runs; at least one.
        whats: What to plot, in panels of one figure.
        axis: What the x axis shows.
        title: The title of the figure; by default it names the runs.
    """
    maps = _lag_maps(groups) if "lag-profile" in whats else []
    panels_of = {"gradient": 2, "lag-profile": max(len(maps), 1)}
    count = sum(panels_of.get(what, 1) for what in set(whats))
    columns = 1 if count == 1 else 2 if count in (2, 4) else 3
    width, height = (7.5, 4.5) if count == 1 else (5.4, 3.8)
    title = title or default_title(groups)
    drawn, panels = new_figure(
        columns, title, rows=-(-count // columns), width=width, height=height
    )
    free = iter(panels)
    for what in dict.fromkeys(whats):
        if what == "loss":
            _loss(next(free), groups, axis)
        elif what == "gradient":
            _gradient(next(free), groups, axis)
            _clipped(next(free), groups, axis)
        elif what == "learning-rate":
            _learning_rate(next(free), groups, axis)
        elif not maps:
            _note(next(free), "lag profile", "No lag profile was logged.")
        else:
            for run, layer in maps:
                _lag_profile(
                    next(free), run, layer, axis, named=len({id(run) for run, _ in maps}) > 1
                )
    for panel in free:
        panel.set_visible(False)
    return drawn


def default_title(groups: Sequence[RunGroup]) -> str:
    """The labels of the runs, or how many they are."""
    labels = [group.label for group in groups]
    return "  ·  ".join(labels) if len(labels) <= 4 else f"{len(labels)} runs"


def _loss(panel: "Axes", groups: Sequence[RunGroup], axis: Axis) -> None:
    labels: list[tuple[Line2D, str]] = []
    alone = len(groups) == 1
    for group, color in _colored(groups):
        train = [step_curve(run, "nats_per_character", axis) for run in group.runs]
        validation = [validation_curve(run, axis) for run in group.runs]
        scored = any(len(curve.x) for curve in validation)
        if alone and len(train) == 1:
            panel.plot(*train[0], color=color, linewidth=0.5, alpha=0.25)
        trained = _curve(panel, [smoothed(curve, BINS) for curve in train], color, thin=scored)
        color = "C3" if alone else color
        tested = _curve(panel, validation, color, marked=True)
        if alone and trained:
            labels.append((trained, _ending("training", trained)))
        elif trained and not tested:
            labels.append((trained, _ending(group.label, trained)))
        if tested:
            labels.append((tested, _ending("validation" if alone else group.label, tested)))
    ngram = baselines_of(groups, "ngram_nats_per_character")
    uniform = baselines_of(groups, "uniform_nats_per_character")
    for name, found in (("n-gram", ngram), ("uniform", uniform)):
        if len(found) == 1:
            line = panel.axhline(found[0][1], color=REFERENCE, linestyle="--", linewidth=1)
            labels.append((line, f"{name} {figure(found[0][1])}"))
    colors = {group.label: color for group, color in _colored(groups)}
    for label, value in ngram if len(ngram) > 1 else ():
        panel.axhline(value, color=colors[label], linestyle="--", linewidth=0.8)
    if uniform:  # what is above is cut off
        most = MAX_ABOVE_UNIFORM * max(value for _, value in uniform)
        if panel.get_ylim()[1] > most:
            least = min(np.min(np.asarray(line.get_ydata())) for line, _ in labels)
            panel.set_ylim(least - 0.05 * (most - least), most)
    title = "loss" if alone else "validation loss (thin: training)"
    if len(ngram) > 1:
        title = "validation loss (thin: training, dashed: n-gram)"
    if alone and len(groups[0].runs) > 1:
        title = f"loss: mean and range of {pluralize(len(groups[0].runs), 'run')}"
    _finish(panel, labels, title, axis)
    panel.set_ylabel("nats per character")


def _gradient(panel: "Axes", groups: Sequence[RunGroup], axis: Axis) -> None:
    from matplotlib.ticker import LogLocator

    labels: list[tuple[Line2D, str]] = []
    for group, color in _colored(groups):
        curves = [_positive(step_curve(run, "gradient_norm", axis)) for run in group.runs]
        if len(groups) == 1 and len(curves) == 1:
            panel.plot(*curves[0], color=color, linewidth=0.5, alpha=0.35)
        line = _curve(panel, [smoothed(curve, BINS) for curve in curves], color)
        if line:
            labels.append((line, "mean" if len(groups) == 1 else group.label))
    if labels:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
    for threshold in clip_thresholds(groups):
        line = panel.axhline(threshold, color=REFERENCE, linestyle="--", linewidth=1)
        labels.append((line, f"clipped\nabove {threshold:g}"))
    _finish(panel, labels, "gradient norm before clipping", axis)


def _clipped(panel: "Axes", groups: Sequence[RunGroup], axis: Axis) -> None:
    labels = []
    for group, color in _colored(groups):
        curves = [clipped_curve(run, axis, CLIPPED_BINS) for run in group.runs]
        shares = [Points(curve.x, 100 * curve.y) for curve in curves]
        if line := _curve(panel, shares, color):
            so_far = [run.log.steps[-1].clipped_share for run in group.runs if run.log.steps]
            mean = f"{100 * float(np.mean(so_far)):.3g} % in all"
            labels.append((line, mean if len(groups) == 1 else f"{group.label}\n{mean}"))
    panel.set_ylim(0, 103)
    _finish(panel, labels, "clipped steps, %", axis)


def _learning_rate(panel: "Axes", groups: Sequence[RunGroup], axis: Axis) -> None:
    labels = []
    for group, color in _colored(groups):
        curves = [step_curve(run, "learning_rate", axis) for run in group.runs]
        if line := _curve(panel, curves, color):
            labels.append((line, group.label))
    _finish(panel, labels if len(groups) > 1 else [], "learning rate", axis, empty=not labels)
    panel.ticklabel_format(axis="y", style="sci", scilimits=(-2, 4), useMathText=False)


def _lag_maps(groups: Sequence[RunGroup]) -> list[tuple[RunHistory, int | None]]:
    """The lag profiles to show: of one run, of its layers; of several, of the top ones."""
    firsts = [group.runs[0] for group in groups if group.runs[0].log.lag_profiles]
    if len(firsts) == 1:
        return [(firsts[0], layer) for layer in layers_of(firsts[0])][-MAX_MAPS:]
    return [(run, layers_of(run)[-1]) for run in firsts[:MAX_MAPS]]


def _lag_profile(
    panel: "Axes", run: RunHistory, layer: int | None, axis: Axis, *, named: bool
) -> None:
    profiles, matrix = lag_matrix(run, layer)
    places = along(run, np.array([one.step for one in profiles], np.float64), axis)
    every = -(-len(profiles) // MAX_COLUMN_LABELS) or 1
    names = [f"{place:,.6g}" if np.isfinite(place) else "" for place in places]
    names = [name if not n % every else "" for n, name in enumerate(names)]
    title = f"gradient flow{'' if layer is None else f', layer {layer}'}"
    heat_map(
        panel, np.maximum(matrix, SMALLEST), x=axis,
        title=f"{title}: {run.label}" if named else title, y="lag, characters back",
        label="gradient norm, relative to lag 0", column_labels=names, log=True,
    )  # fmt: skip
    panel.invert_yaxis()


def _colored(groups: Sequence[RunGroup]) -> list[tuple[RunGroup, str]]:
    return [(group, f"C{number % 10}") for number, group in enumerate(groups)]


def _curve(
    panel: "Axes",
    curves: Sequence[Points],
    color: str,
    *,
    thin: bool = False,
    marked: bool = False,
) -> "Line2D | None":
    """Draws the mean of curves, in a band of their range; None if there are no points."""
    mean = spread(curves)
    if not len(mean.x):
        return None
    if len(curves) > 1:
        panel.fill_between(mean.x, mean.low, mean.high, color=color, alpha=0.2, linewidth=0)
    few = len(mean.x) == 1 or (marked and len(mean.x) <= 60)
    (line,) = panel.plot(
        mean.x, mean.y, color=color, linewidth=0.9 if thin else 1.8,
        marker="o" if few else None, markersize=3.5, alpha=0.8 if thin else 1,
    )  # fmt: skip
    return line


def _positive(curve: Points) -> Points:
    """The points that a logarithmic axis can show."""
    return Points(curve.x[curve.y > 0], curve.y[curve.y > 0])


def _ending(name: str, line: "Line2D") -> str:
    return f"{name}\n{figure(float(np.asarray(line.get_ydata())[-1]))}"


def _finish(
    panel: "Axes",
    labels: "list[tuple[Line2D, str]]",
    title: str,
    axis: Axis,
    *,
    empty: bool | None = None,
) -> None:
    panel.margins(x=0.01)
    if not labels if empty is None else empty:
        _note(panel, title, "Nothing was logged.")
        return
    label_lines(panel, labels)
    panel.ticklabel_format(axis="x", style="plain")
    panel.xaxis.set_major_formatter("{x:,.10g}")
    panel.locator_params(axis="x", nbins=6)
    finish(panel, title, axis, "")


def _note(panel: "Axes", title: str, note: str) -> None:
    panel.text(
        0.5, 0.5, note, color=REFERENCE, transform=panel.transAxes, horizontalalignment="center"
    )
    panel.set_xticks([])
    panel.set_yticks([])
    finish(panel, title, "", "")
