"""Charts in text: curves and levels, with labels beside their right ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, floor, isfinite, log10
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from charrnn.arrays import Array
from charrnn.report.line_ends import apart
from charrnn.report.terminal import fitted
from charrnn.system.escaping import harmless_message

COLORS = ("cyan", "magenta", "green", "yellow", "red", "blue")  # that plotext and Rich both know
LEVEL_COLOR = "default"
DASH = 4  # dots of a dash and the gap after it, of a level
MIN_WIDTH, MIN_HEIGHT = 24, 6  # of a chart, below which nothing can be read
MAX_MARGIN = 0.36  # of the width, for the labels
DOTS = 2  # of Braille, per column
COLUMNS_PER_TICK, ROWS_PER_TICK = 10, 3
EARLY = 0.9  # of the axis, up to which the end of a curve is far from its label
LARGEST = 1e30  # what is drawn; larger values are at the edge


@dataclass(frozen=True)
class Curve:
    """A curve, with the label beside its right end; values that are not finite are left out.

    dots: whether it is drawn as separate points.
    """

    label: str
    x: Sequence[float] | Array
    y: Sequence[float] | Array
    dots: bool = False


@dataclass(frozen=True)
class Level:
    """A horizontal line, such as a baseline, with its label."""

    label: str
    y: float


class _Trace(NamedTuple):
    """What is drawn: points on the scale of the axes, or a level, which has no x."""

    label: str
    x: Array | None
    y: Array
    color: str
    letter: str = ""
    dots: bool = False


def line_chart(
    curves: Sequence[Curve],
    width: int,
    height: int,
    *,
    levels: Sequence[Level] = (),
    title: str = "",
    x: str = "",
    highest: float | None = None,
    logarithmic: bool = False,
    logarithmic_x: bool = False,
    whole_x: bool = False,
    lettered: bool = True,
) -> Text:
    """Draws curves as Braille dots, and labels them and the levels at the right.

    Args:
        curves: The curves; those without finite values are left out.
        width: Columns of the chart with its labels, at least 24.
        height: Lines of the chart with its title, at least 6.
        levels: Horizontal lines.
        title: A line above the chart; none if empty.
        x: What the x axis shows.
        highest: Larger values are drawn at this height.
        logarithmic: Whether the y axis is logarithmic; values of 0 or less are left out.
        logarithmic_x: Whether the x axis is logarithmic; all x have to be positive.
        whole_x: Whether only whole numbers are written along a linear x axis.
        lettered: Whether curves that end far from their labels get letters.

    Returns:
        `height` lines of at most `width` columns, in colours that a console may drop.
    """
    width, height = max(width, MIN_WIDTH), max(height, MIN_HEIGHT)
    top = LARGEST
    if highest is not None and isfinite(highest) and (highest > 0 or not logarithmic):
        top = highest
    traces = [
        _trace(level.label, None, [level.y], top, logarithmic, LEVEL_COLOR) for level in levels
    ]
    for number, curve in enumerate(curves):
        color = COLORS[number % len(COLORS)]
        x_of = np.log10(curve.x) if logarithmic_x else curve.x
        trace = _trace(curve.label, x_of, curve.y, top, logarithmic, color)
        traces.append(trace._replace(dots=curve.dots))
    traces = [trace for trace in traces if len(trace.y)]
    traces = _lettered(traces) if lettered else traces
    head = [Text(fitted(_shown(title), width), "bold")] if title else []
    rows = height - len(head)
    if all(trace.x is None for trace in traces):
        lines = [Text("no values to show"), *[Text()] * (rows - 1)]
        return Text("\n").join([*head, *lines])
    widest = max(cell_len(label) for label in [x, *(trace.label for trace in traces)])
    margin = min(widest + 1, int(width * MAX_MARGIN))
    across = np.concatenate([trace.x for trace in traces if trace.x is not None])
    left, right = _range(across, 0.5 if whole_x else None)
    traces = [_thinned(trace, left, right, DOTS * (width - margin)) for trace in traces]
    low, high = _range(np.concatenate([trace.y for trace in traces]))
    scales = (logarithmic_x, logarithmic)
    columns = width - margin
    canvas = _canvas(traces, columns, rows, (left, right), (low, high), scales, whole_x)
    lines = []
    for line, end in zip(
        canvas, [*_labels(traces, low, high, rows - 2), None, (x, "")], strict=True
    ):
        if end:
            line.pad_right(width - margin - cell_len(line.plain))
            line.append(" " + fitted(_shown(end[0]), margin - 1), end[1])
        lines.append(line)
    return Text("\n").join([*head, *lines])


def _trace(
    label: str,
    x: Sequence[float] | Array | None,
    y: Sequence[float] | Array,
    top: float,
    logarithmic: bool,
    color: str,
) -> _Trace:
    """The finite points, in the order of x."""
    ys = np.asarray(y, np.float64)
    shown = np.isfinite(ys) & ((ys > 0) | (not logarithmic))
    xs = None
    if x is not None:
        xs = np.asarray(x, np.float64)
        shown &= np.abs(np.nan_to_num(xs, nan=np.inf)) <= LARGEST
        order = np.argsort(xs[shown], kind="stable")
        xs, ys = xs[shown][order], ys[shown][order]
    else:
        ys = ys[shown]
    ys = np.clip(ys, -LARGEST, top)
    return _Trace(label, xs, np.log10(ys) if logarithmic else ys, color)


def _lettered(traces: list[_Trace]) -> list[_Trace]:
    """Letters at the ends of curves and before their labels, if some end far from their labels."""
    ends = [float(trace.x[-1]) for trace in traces if trace.x is not None]
    if len(ends) < 2 or min(ends) > EARLY * max(ends):
        return traces
    letters = cycle(ascii_lowercase)
    lettered = []
    for trace in traces:
        letter = "" if trace.x is None else next(letters)
        label = f"{letter} {trace.label}" if letter else trace.label
        lettered.append(trace._replace(letter=letter, label=label))
    return lettered


def _shown(label: str) -> str:
    """A label on one line, without tabs, whose width depends on where they are."""
    return harmless_message(" ".join(label.split()))


def _range(values: Array, spread: float | None = None) -> tuple[float, float]:
    """The limits of an axis that shows these values; so far around a single one."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        spread = spread or 0.1 * abs(low) or 1.0
        low, high = low - spread, high + spread
    return low, high


def _thinned(trace: _Trace, left: float, right: float, bins: int) -> _Trace:
    """The means of the points that fall into the same column of dots."""
    if trace.x is None or trace.dots or len(trace.x) <= bins:
        return trace
    place = np.minimum((bins * ((trace.x - left) / (right - left))).astype(int), bins - 1)
    _, where, counts = np.unique(place, return_inverse=True, return_counts=True)
    x, y = (np.bincount(where, values / counts[where]) for values in (trace.x, trace.y))
    return trace._replace(x=x, y=y)


def _canvas(
    traces: Sequence[_Trace],
    width: int,
    height: int,
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    logarithmic: tuple[bool, bool],
    whole_x: bool,
) -> list[Text]:
    """The lines of the chart without labels, of which the last two are the axis and its numbers."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    plotext.xlim(*x_limits)
    plotext.ylim(*y_limits)
    plotext.xticks(*_named_ticks(*x_limits, width // COLUMNS_PER_TICK, logarithmic[0], whole_x))
    ticks, names = _named_ticks(*y_limits, height // ROWS_PER_TICK, logarithmic[1])
    plotext.yticks(ticks, names)
    dots = DOTS * (width - max(map(len, names)) - 1)
    dashes = np.linspace(*x_limits, dots)[np.arange(dots) % DASH < DASH // 2].tolist()
    for trace in traces:
        if trace.x is None:
            plotext.scatter(dashes, [float(trace.y[0])] * len(dashes), marker="braille")
    for trace in traces:
        if trace.x is not None:
            x, y = trace.x.tolist(), trace.y.tolist()
            if trace.dots:
                plotext.scatter(x, y, marker="•", color=trace.color)
            else:
                plotext.plot(x, y, marker="braille", color=trace.color)
    for trace in traces:
        if trace.letter and trace.x is not None:
            x, y = trace.x[-1:].tolist(), trace.y[-1:].tolist()
            plotext.scatter(x, y, marker=trace.letter, color=trace.color)
    return [Text.from_ansi(line) for line in plotext.build().split("\n")[:height]]


def _named_ticks(
    low: float, high: float, count: int, logarithmic: bool, whole: bool = False
) -> tuple[list[float], list[str]]:
    """Round numbers within limits, where they are and how they are written."""
    ticks = (_decades if logarithmic else _ticks)(low, high, count)
    if whole and not logarithmic:
        ticks = [tick for tick in ticks if float(tick).is_integer()] or ticks
    return ticks, [_number(10.0**tick if logarithmic else tick) for tick in ticks]


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers within limits, about as many as asked for and at least one."""
    wanted = log10((high - low) / max(count, 1))
    power = 10.0 ** floor(wanted)
    step = power * min((1, 2, 5, 10), key=lambda step: abs(log10(step * power) - wanted))
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)] or [low]


def _decades(low: float, high: float, count: int) -> list[float]:
    """Logarithms of powers of ten within limits; of other round numbers too if those are few."""
    apart = max(round((high - low) / max(count, 1)), 1)
    ticks = [float(power) for power in range(ceil(low), floor(high) + 1) if power % apart == 0]
    for digits in ((1, 2, 5, 10), range(1, 11)):
        if len(ticks) < 2:
            powers = range(floor(low), ceil(high))
            ticks = [power + log10(digit) for power in powers for digit in digits]
            ticks = [tick for tick in dict.fromkeys(ticks) if low <= tick <= high]
    return ticks or [low]


def _number(value: float) -> str:
    """A number of an axis, short."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{value:.0e}"
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            thousands = 1e3 if unit == "k" else limit
            return f"{value / thousands:.4g}{unit}"
    return f"{value:.4g}"


def _labels(
    traces: Sequence[_Trace], low: float, high: float, rows: int
) -> list[tuple[str, str] | None]:
    """The label of each row from the top, with its colour: as near to the end as there is room."""
    traces = sorted(traces, key=lambda trace: -trace.y[-1])  # of a row, the larger is on top
    wanted = np.array([(trace.y[-1] - low) / (high - low) * (rows - 1) for trace in traces])
    places = apart(wanted, np.ones(len(traces)), -0.5, rows - 0.5)
    labels: list[tuple[str, str] | None] = [None] * rows
    for trace, place in zip(traces, places, strict=True):
        row = rows - 1 - round(float(place))
        if 0 <= row < rows and labels[row] is None:
            labels[row] = (trace.label, "" if trace.x is None else trace.color)
    return labels
