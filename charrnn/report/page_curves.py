"""The curves of a run in a page: loss, gradient norm, learning rate and comparisons."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from charrnn.arrays import Array
from charrnn.report.loss_curves import LossCurves
from charrnn.report.page_figures import Figure, chart_figure
from charrnn.report.svg_charts import Chart, Line
from charrnn.results import RunLog

POINTS = 300  # of a curve; more than twice as many are averaged
HEADROOM = 1.04  # above the loss of guessing
LARGEST = 1e12  # what a log may say beyond it is shown as this
SERIES = 6  # colours of the style sheet
Item = TypeVar("Item")


def loss_figure(log: RunLog) -> Figure | None:
    """Training and held-out loss, and the baselines; None if nothing is logged."""
    if not log.steps and not log.evaluations:
        return None
    trained = log.evaluations
    steps, losses = thinned(*_series(log.steps, lambda found: found.nats_per_character))
    lines = [Line("training batches", steps, losses, "faint")] if log.steps else []
    if trained:
        at, means = _series(trained, lambda found: found.train_nats_per_character)
        lines.append(Line("training, mean since the last evaluation", at, means, "s2", dots=True))
        at, held_out = _series(trained, lambda found: found.validation_nats_per_character)
        if np.isfinite(held_out).any():
            lines.append(Line("held-out", at, held_out, "s1", dots=True))
    levels, limits = {}, None
    if baselines := log.baselines:
        uniform = min(baselines.uniform_nats_per_character, LARGEST)
        ngram = min(baselines.ngram_nats_per_character, LARGEST)
        levels = {"guessing": uniform, f"{baselines.context + 1}-gram counts": ngram}
        shown = np.concatenate([line.y[np.isfinite(line.y)] for line in lines])
        lowest = min(shown.min(initial=ngram), ngram)
        limits = (lowest - 0.05 * (uniform - lowest), HEADROOM * uniform)
        if not limits[0] < limits[1]:
            limits = None
    chart = Chart("Loss", "step", "nats per character", tuple(lines), levels, limits)
    return chart_figure("loss", chart)


def gradient_figure(log: RunLog, threshold: float | None) -> Figure | None:
    """The norm of the gradient before clipping, with the threshold if it is clipped by norm."""
    steps, norms = _series(log.steps, lambda found: found.gradient_norm)
    if not len(steps):
        return None
    at, means = thinned(steps, norms)
    lines = [Line("gradient norm", at, means, "s1")]
    if len(steps) > 2 * POINTS:
        lines.insert(0, Line("its largest", *thinned(steps, norms, np.nanmax), "faint"))
    levels = {} if threshold is None else {f"clipped above {threshold:g}": threshold}
    chart = Chart("Gradient norm", "step", "norm", tuple(lines), levels, logarithmic=True)
    return chart_figure("gradient", chart)


def clipped_figure(log: RunLog) -> Figure | None:
    """The share of all steps until then that were clipped."""
    steps, shares = thinned(*_series(log.steps, lambda found: 100 * found.clipped_share))
    if not len(steps):
        return None
    lines = (Line("clipped so far", steps, shares, "s1"),)
    chart = Chart("Clipped steps", "step", "% of the steps so far", lines, limits=(0, 100))
    return chart_figure("clipped", chart)


def progress_figure(losses: LossCurves) -> Figure | None:
    """The losses of a run in progress; None before there is anything to see."""
    points = losses.points()
    if len(points.get("training", ())) < 2:
        return None
    looks = {"training": "s2", "validation": "s1"}
    lines = [Line(label, *thinned(*curve.T), looks[label]) for label, curve in points.items()]
    levels = {} if losses.ngram is None else {"n-gram": losses.ngram}
    heights = np.concatenate([line.y[np.isfinite(line.y)] for line in lines])
    least, most = min([*heights, *levels.values()], default=0.0), losses.highest(points)
    limits = None if most is None or not least < most else (least, most)
    chart = Chart("Loss", "step", "nats per character", tuple(lines), levels, limits)
    return chart_figure("progress", chart)


def rate_figure(log: RunLog) -> Figure | None:
    """The learning rate."""
    steps, rates = thinned(*_series(log.steps, lambda found: found.learning_rate))
    if not len(steps):
        return None
    lines = (Line("learning rate", steps, rates, "s1"),)
    top = max(float(np.nanmax(rates, initial=0)) * 1.05, 1e-12)
    return chart_figure("rate", Chart("Learning rate", "step", "rate", lines, limits=(0, top)))


def comparison_figure(logs: Sequence[RunLog], labels: Sequence[str]) -> Figure | None:
    """The held-out loss of several runs; of those without any, the training loss."""
    lines = []
    for number, (log, label) in enumerate(zip(logs, labels, strict=True)):
        evaluations = log.evaluations
        at, losses = _series(evaluations, lambda found: found.validation_nats_per_character)
        if not np.isfinite(losses).any():
            at, losses = _series(evaluations, lambda found: found.train_nats_per_character)
            label += " (training)"
        if len(at):
            lines.append(Line(label, at, losses, f"s{number % SERIES + 1}", dots=True))
    if not lines:
        return None
    chart = Chart("Held-out loss of the runs", "step", "nats per character", tuple(lines))
    return chart_figure("comparison", chart)


def _series(found: Iterable[Item], value: Callable[[Item], float | None]) -> tuple[Array, Array]:
    """Steps (N,) and a value of each event (N,), NaN where there is none."""
    pairs: list[tuple[Any, Any]] = [(item, value(item)) for item in found]
    steps = [min(max(item.step, 0), LARGEST) for item, _ in pairs]
    values = [np.nan if v is None else min(max(v, -LARGEST), LARGEST) for _, v in pairs]
    order = np.argsort(np.array(steps, float), kind="stable")
    return np.array(steps, float)[order], np.array(values, float)[order]


def thinned(
    steps: Array, values: Array, reduced: Callable[[Array], Any] = np.nanmean
) -> tuple[Array, Array]:
    """The points, or POINTS means of neighbours if there are many."""
    shown = np.isfinite(values)
    steps, values = steps[shown], values[shown]
    if len(steps) <= 2 * POINTS:
        return steps, values
    parts = [part for part in np.array_split(np.arange(len(steps)), POINTS) if len(part)]
    middles = np.array([steps[part].mean() for part in parts])
    return middles, np.array([reduced(values[part]) for part in parts])
