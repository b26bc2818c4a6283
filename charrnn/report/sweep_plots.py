"""Plots a sweep with matplotlib: progress, importance, parallel coordinates, and slices."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from charrnn.arrays import Array
from charrnn.report.event_lines import figure as loss_figure
from charrnn.report.figures import LIGHTEST, SEQUENTIAL, finish, label_lines, titled_figure
from charrnn.report.sweep_curves import (
    WHATS,
    Losses,
    What,
    best_so_far,
    complete,
    highest_shown,
    positions,
    pruned,
    shares,
    ticks_of,
    with_setting,
)
from charrnn.report.sweep_labels import counts_line, share_label, short_names, value_label
from charrnn.report.ticks import linear_ticks, tick_label
from charrnn.results import SearchedSetting, SweepReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PANELS = 12  # of slices: those of the most important settings
COLUMNS = 3  # of slices
WIDTH, HEIGHT = 13.5, 3.9  # of a row, in inches
BEST, OTHER, FAINT = "C3", "C0", "darkgray"
MARGIN = 0.05  # of a range
JITTER = 0.12  # of the distance of two choices
LOSS = "nats per character"
KEY = "●  complete      ★  best      grey:  pruned      ▲  higher than shown"


def plot_sweep(
    report: SweepReport, whats: Sequence[What] = WHATS, title: str | None = None
) -> "Figure":
    """Plots a sweep.

    Args:
        report: The sweep.
        whats: What to plot, in panels of one figure.
        title: The title of the figure; by default it names the sweep and counts its trials.
    """
    settings = report.settings[:MAX_PANELS]
    upper = [what for what in ("progress", "importance") if what in whats]
    rows: list[list[str]] = [[what for what in upper for _ in range(6 // len(upper))]] * bool(upper)
    if "parallel" in whats:
        rows.append(["parallel"] * 6)
    if "slice" in whats:
        rows += _rows_of_slices([f"slice {n}" for n in range(len(settings))])
    drawn = titled_figure(
        WIDTH, HEIGHT * max(len(rows), 1), title or f"{report.name}  ·  {counts_line(report)}"
    )
    panels: dict[str, Axes] = drawn.subplot_mosaic(rows)  # type: ignore[arg-type]
    for what, draw in (
        ("progress", _progress), ("importance", _importance), ("parallel", _parallel),
    ):  # fmt: skip
        if what in panels:
            draw(panels[what], report)
    for number, setting in enumerate(settings):
        if f"slice {number}" in panels:
            _slice(panels[f"slice {number}"], report, setting)
    if {"progress", "slice"} & {*whats}:
        drawn.supxlabel(KEY, fontsize=9)
    return drawn


def _rows_of_slices(names: list[str]) -> list[list[str]]:
    """Rows of three panels, or of two where that fills them, in six columns."""
    per_row = 2 if len(names) in (1, 2, 4) else COLUMNS
    rows = [names[n : n + per_row] for n in range(0, len(names), per_row)]
    return [
        [name for name in [*row, *["."] * (per_row - len(row))] for _ in range(6 // per_row)]
        for row in rows
    ]


def _progress(panel: "Axes", report: SweepReport) -> None:
    losses = complete(report)
    if not len(losses.nats):
        return _note(panel, "progress", "No trial is complete yet.")
    high = highest_shown(report)
    stopped = pruned(report)
    numbers = [one.number for one in stopped.trials]
    _dots(panel, np.array(numbers, float), stopped.nats, high, FAINT, "x")
    x, best = best_so_far(losses)
    _dots(panel, x, losses.nats, high, OTHER)
    last = max(x[-1], max((one.number for one in report.trials), default=0))
    (line,) = panel.plot(
        [*x, last], [*best, best[-1]], color=BEST, drawstyle="steps-post", linewidth=1.8
    )
    label_lines(panel, [(line, f"best\n{loss_figure(float(best[-1]))}")])
    margin = max(MARGIN * last, 0.5)  # wide enough for whole numbers alone, of one trial too
    panel.set_xlim(-margin, last + margin)
    panel.locator_params(axis="x", integer=True, min_n_ticks=1)
    _limit(panel, losses, high)
    finish(panel, "progress", "trial", LOSS)


def _importance(panel: "Axes", report: SweepReport) -> None:
    if not report.top:
        return _note(panel, "importance", "There are too few trials to tell.")
    names = short_names(report.keys)
    settings = report.settings[:MAX_PANELS][::-1]
    values = [100 * (setting.importance or 0) for setting in settings]
    colors = [FAINT if setting.by_chance else OTHER for setting in settings]
    bars = panel.barh([names[setting.key] for setting in settings], values, color=colors)
    panel.bar_label(bars, [share_label(setting) for setting in settings], padding=4, fontsize=9)
    panel.set_xlim(0, 1.15 * max(values) or 1)
    chance = "; in brackets: no more than chance" if any(one.by_chance for one in settings) else ""
    finish(panel, f"importance: what the {report.top} best agree on", f"%{chance}", "")
    panel.grid(visible=False, axis="y")


def _parallel(panel: "Axes", report: SweepReport) -> None:
    """A line per complete trial, across an axis per setting and one of the loss."""
    from matplotlib import colormaps

    settings = report.settings[:MAX_PANELS]
    losses = complete(report)
    for setting in settings:
        losses = with_setting(losses, setting.key)
    if not len(losses.nats) or not settings:
        return _note(panel, "parallel coordinates", "No trial is complete yet.")
    low, high = float(losses.nats.min()), highest_shown(report)
    heights = np.array(
        [shares(one, [t.settings[one.key] for t in losses.trials]) for one in settings]
        + [np.minimum((losses.nats - low) / (high - low), 1)]
    )
    jittered = heights.copy()
    for row, setting in enumerate(settings):
        if setting.choices:
            width = 0.5 * JITTER / max(len(setting.choices) - 1, 1)
            jittered[row] += width * _jitter(losses)
    colors = colormaps[SEQUENTIAL]
    for n in np.argsort(-losses.nats):  # the best on top
        good = 1 - heights[-1, n]
        panel.plot(
            jittered[:, n], color=colors(LIGHTEST + (1 - LIGHTEST) * good),
            linewidth=0.8 + 1.4 * good, alpha=0.4 + 0.6 * good,
        )  # fmt: skip
    _axes_of_parallel(panel, report, settings, (low, high))


def _axes_of_parallel(
    panel: "Axes",
    report: SweepReport,
    settings: Sequence[SearchedSetting],
    loss: tuple[float, float],
) -> None:
    names = short_names(report.keys)
    for place, setting in enumerate(settings):
        values = ticks_of(setting)
        for value, height in zip(values, shares(setting, values), strict=True):
            _tick(panel, place, height, value_label(value))
    ticks = [tick for tick in linear_ticks(*loss, 5) if loss[0] <= tick <= loss[1]]
    for tick in ticks:
        _tick(panel, len(settings), (tick - loss[0]) / (loss[1] - loss[0]), tick_label(tick))
    for place in range(len(settings) + 1):
        panel.axvline(place, color="black", linewidth=0.8)
    finish(panel, "each line is a complete trial: the darker, the better", "", "")
    panel.grid(visible=False)
    panel.set_xticks(
        range(len(settings) + 1), [*(names[one.key] for one in settings), "loss"], parse_math=False
    )
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    panel.set_xlim(-0.05, len(settings) + 0.25)


def _tick(panel: "Axes", place: float, height: float, label: str) -> None:
    panel.annotate(
        label, (place, height), (4, 0), textcoords="offset points", fontsize=8,
        verticalalignment="center", parse_math=False,
        bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
    )  # fmt: skip


def _slice(panel: "Axes", report: SweepReport, setting: SearchedSetting) -> None:
    name = short_names(report.keys)[setting.key]
    losses = with_setting(complete(report), setting.key)
    if not len(losses.nats):
        return _note(panel, name, "No trial is complete yet.")
    high = highest_shown(report)
    stopped = with_setting(pruned(report), setting.key)
    x = _places(setting, losses)
    if len(stopped.nats):  # a loss early in a run is not to be compared: a mark at the top
        panel.plot(
            _places(setting, stopped), np.full(len(stopped.nats), 1.02), "|", color=FAINT,
            transform=panel.get_xaxis_transform(), clip_on=False, markersize=7,
        )  # fmt: skip
    _dots(panel, x, losses.nats, high, OTHER)
    best = int(np.argmin(losses.nats))
    panel.plot(x[best], losses.nats[best], "*", color=BEST, markersize=14, markeredgecolor="white")
    if setting.log:
        panel.set_xscale("log")
        panel.minorticks_off()
    ticks = ticks_of(setting)
    labels = [value_label(tick) for tick in ticks]
    panel.set_xticks(positions(setting, ticks), labels, parse_math=False)
    panel.set_xlim(*_widened(setting))
    _limit(panel, losses, high)
    finish(panel, name, "", LOSS)
    panel.set_title(name, fontsize=11, pad=12 if len(stopped.nats) else 6, parse_math=False)


def _widened(setting: SearchedSetting) -> tuple[float, float]:
    """The ends of a range with a margin: so it shows if the best are at one."""
    if setting.choices:
        return -0.5, len(setting.choices) - 0.5
    low, high = setting.ends
    if setting.log:
        margin = (high / low) ** MARGIN
        return low / margin, high * margin
    margin = MARGIN * (high - low)
    return low - margin, high + margin


def _places(setting: SearchedSetting, losses: Losses) -> Array:
    places = positions(setting, [one.settings[setting.key] for one in losses.trials])
    return places + JITTER * _jitter(losses) if setting.choices else places


def _jitter(losses: Losses) -> Array:
    """Shifts between -1 and 1 that keep trials with one choice apart, the same in every plot."""
    numbers = np.array([one.number for one in losses.trials], np.float64)
    return 2 * (numbers * 0.618034 % 1) - 1


def _dots(panel: "Axes", x: Array, y: Array, high: float, color: str, marker: str = "o") -> None:
    """Draws losses; those above the limit as triangles at the top."""
    shown = y <= high
    panel.plot(x[shown], y[shown], marker, color=color, alpha=0.8, markersize=5)
    top = np.full(len(y) - np.count_nonzero(shown), 0.985)
    panel.plot(
        x[~shown], top, "^", color=color, alpha=0.8, markersize=4,
        transform=panel.get_xaxis_transform(),
    )  # fmt: skip


def _limit(panel: "Axes", losses: Losses, high: float) -> None:
    low = float(losses.nats.min())
    panel.set_ylim(low - 0.07 * (high - low), high)


def _note(panel: "Axes", title: str, note: str) -> None:
    panel.text(
        0.5, 0.5, note, color="dimgray", transform=panel.transAxes, horizontalalignment="center"
    )
    panel.set_xticks([])
    panel.set_yticks([])
    finish(panel, title, "", "")
