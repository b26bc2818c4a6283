"""Draws line charts and heat maps as inline SVG, which takes its colours from the page.

Positions are percentages of the drawing, so that it can be resized and its letters stay as they
are; only the curves are stretched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from charrnn.arrays import Array
from charrnn.report.ticks import linear_ticks, logarithmic_ticks, tick_label
from charrnn.system.escaping import drawable

GRAIN = 1000  # units of a curve's coordinates per width and height
LABEL = 0.18, 0.08  # rough width and height of the label of a level, as shares of the chart
SMALLEST = 1e-15  # number that has a place on a logarithmic axis


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        label: What it shows, in words.
        x, y: Its points (N,); those with a y that is not finite are left out.
        look: The class of its colour and kind in the style sheet.
        dots: Whether each point is marked.
        joined: Whether a line goes through the points.
    """

    label: str
    x: Array
    y: Array
    look: str
    dots: bool = False
    joined: bool = True


@dataclass(frozen=True)
class Chart:
    """Curves over a common axis.

    Attributes:
        title: What they show, in words.
        x_title, y_title: What the axes are.
        lines: The curves, the one drawn last on top.
        levels: Labelled heights, each drawn as a line across.
        limits: The ends of the y axis; what is beyond is cut off. None to show everything.
        logarithmic: Whether the y axis is.
    """

    title: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    levels: dict[str, float] = field(default_factory=dict)
    limits: tuple[float, float] | None = None
    logarithmic: bool = False


@dataclass(frozen=True)
class _Axis:
    """The ends of an axis, and where values are along it, from 0 to 1."""

    low: float
    high: float
    logarithmic: bool = False

    def places(self, values: Array) -> Array:
        if self.logarithmic:
            tiny = self.low * 1e-6
            ends = np.log(self.low), np.log(self.high)
            return np.asarray((np.log(np.maximum(values, tiny)) - ends[0]) / (ends[1] - ends[0]))
        return np.asarray((values - self.low) / (self.high - self.low))

    def ticks(self) -> dict[str, float]:
        """The place of each tick, by its label."""
        found = (logarithmic_ticks if self.logarithmic else linear_ticks)(self.low, self.high)
        return {tick_label(tick): float(self.places(np.array(tick))) for tick in found}


def draw_chart(chart: Chart) -> str:
    """The chart as SVG."""
    x, y = axes_of(chart)
    svg = _canvas(chart.title, "plot")
    _draw_axes(svg, x.ticks(), y.ticks())
    curves = _stretched(svg, GRAIN, GRAIN)
    drawn: list[tuple[float, float]] = []
    for line in chart.lines:
        shown = np.isfinite(line.y)
        across = x.places(line.x[shown]).tolist()
        points = [*zip(across, np.clip(y.places(line.y[shown]), -9, 9).tolist(), strict=True)]
        drawn += points
        path = "L".join(f"{GRAIN * a:.1f} {GRAIN * (1 - b):.1f}" for a, b in points)
        if path and line.joined:
            SubElement(curves, "path", {"class": f"curve {line.look}", "d": f"M{path}"})
        for a, b in points if line.dots or len(points) == 1 else ():
            if 0 <= b <= 1:
                place = {"cx": _percent(a), "cy": _percent(1 - b)}
                SubElement(svg, "circle", {"class": f"dot {line.look}", "r": "3", **place})
    for label, height in chart.levels.items():
        up = float(y.places(np.array(height)))
        if 0 <= up <= 1:
            at = _percent(1 - up)
            SubElement(svg, "line", {"class": "level", "x2": "100%", "y1": at, "y2": at})
            left = _is_covered(up, drawn) and not _is_covered(up, [(1 - a, b) for a, b in drawn])
            look, end = ("level left", "0") if left else ("level", "100%")
            _text(svg, label, look, {"x": end, "y": at, "dy": "-5"})
    return tostring(svg, encoding="unicode", short_empty_elements=False)


def _is_covered(height: float, points: Iterable[tuple[float, float]]) -> bool:
    """Whether curves pass through a label at the right end of this height, all from 0 to 1."""
    return any(a > 1 - LABEL[0] and height <= b < height + LABEL[1] for a, b in points)


def axes_of(chart: Chart) -> tuple[_Axis, _Axis]:
    """The axes on which everything shown has a place; the x axis starts at 0."""
    x = np.concatenate([line.x for line in chart.lines])
    heights = np.array([*np.concatenate([line.y for line in chart.lines]), *chart.levels.values()])
    least = SMALLEST if chart.logarithmic else -np.inf
    heights = heights[np.isfinite(heights) & (heights >= least)]
    low, high = chart.limits or ((heights.min(), heights.max()) if len(heights) else (0.1, 1.0))
    return _Axis(*_apart(min(x.min(initial=0), 0), x.max(initial=0))), _Axis(
        *_apart(low, high), chart.logarithmic
    )


def _apart(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis, moved apart if they are the same."""
    if low < high:
        return float(low), float(high)
    return float(low) - abs(low) / 2 - 1e-9, float(high) + abs(high) / 2 + 1e-9


@dataclass(frozen=True)
class HeatMap:
    """A matrix of shares, from 0 to 1, as shades.

    Attributes:
        title: What it shows, in words.
        shares: How dark each cell is (M, N); NaN for no cell.
        rows, columns: The labels at these places of rows and columns, in cells from the top left.
        notes: What a cell says when the pointer is on it, by row and column.
        other: Whether each cell (M, N) has the second colour; None for none.
    """

    title: str
    shares: Array
    rows: Sequence[tuple[float, str]]
    columns: Sequence[tuple[float, str]]
    notes: dict[tuple[int, int], str] = field(default_factory=dict)
    other: Array | None = None


def draw_heat_map(heat_map: HeatMap) -> str:
    """The heat map as SVG, its first row at the top."""
    height, width = heat_map.shares.shape
    svg = _canvas(heat_map.title, "heat")
    cells = _stretched(svg, width, height)
    for (row, column), share in np.ndenumerate(heat_map.shares):
        if np.isfinite(share) and (share > 0.004 or (row, column) in heat_map.notes):
            place = {"x": f"{column}", "y": f"{row}", "width": "1", "height": "1"}
            if heat_map.other is not None and heat_map.other[row, column]:
                place["class"] = "other"
            cell = SubElement(cells, "rect", {**place, "fill-opacity": f"{share:.2g}"})
            if note := heat_map.notes.get((row, column)):
                SubElement(cell, "title").text = drawable(note)
    for place_of_row, label in heat_map.rows:
        _text(svg, label, "tick", {"x": "0", "y": _percent(place_of_row / height), "dx": "-8"}, "y")
    for place_of_column, label in heat_map.columns:
        at = {"x": _percent(place_of_column / width), "y": "100%", "dy": "17"}
        _text(svg, label, "tick", at, "x")
    return tostring(svg, encoding="unicode", short_empty_elements=False)


def _canvas(title: str, kind: str) -> Element:
    return Element("svg", {"class": kind, "role": "img", "aria-label": drawable(title)})


def _stretched(svg: Element, width: int, height: int) -> Element:
    """A part of the drawing with coordinates of its own, from the top left."""
    box = {"viewBox": f"0 0 {width} {height}", "preserveAspectRatio": "none"}
    return SubElement(svg, "svg", {"width": "100%", "height": "100%", **box})


def _draw_axes(svg: Element, x: dict[str, float], y: dict[str, float]) -> None:
    for label, place in y.items():
        at = _percent(1 - place)
        SubElement(svg, "line", {"class": "grid", "x2": "100%", "y1": at, "y2": at})
        _text(svg, label, "tick", {"x": "0", "y": at, "dx": "-8"}, "y")
    for label, place in x.items():
        _text(svg, label, "tick", {"x": _percent(place), "y": "100%", "dy": "17"}, "x")


def _text(svg: Element, text: str, kind: str, place: dict[str, str], axis: str = "") -> None:
    SubElement(svg, "text", {"class": f"{kind} {axis}".strip(), **place}).text = drawable(text)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
