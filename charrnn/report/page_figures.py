"""Figures of a page: a drawing, its legend, and the values that the pointer shows."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from charrnn.report.svg_charts import Chart, HeatMap, axes_of, draw_chart, draw_heat_map
from charrnn.system.escaping import drawable


@dataclass(frozen=True)
class Figure:
    """A drawing in a page.

    Attributes:
        name: What the page calls it.
        title: What it shows, in words.
        svg: The drawing.
        x_title, y_title: What the axes are.
        legend: Labels of the curves, each with the class of its colour.
        values: What the pointer shows, as values of JSON; empty for nothing.
        kind: "chart" or "map".
    """

    name: str
    title: str
    svg: str
    x_title: str
    y_title: str
    legend: tuple[tuple[str, str], ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    kind: str = "chart"


def chart_figure(name: str, chart: Chart) -> Figure:
    """A chart as a figure of the page."""
    x, _ = axes_of(chart)
    values = {
        "x": [x.low, x.high],
        "title": chart.x_title,
        "lines": [
            {
                "label": drawable(line.label),
                "look": line.look,
                "x": [float(f"{value:.6g}") for value in line.x[shown]],
                "y": [float(f"{value:.4g}") for value in line.y[shown]],
            }
            for line in chart.lines
            for shown in [np.isfinite(line.y)]
        ],
    }
    legend = tuple((drawable(line.label), line.look) for line in reversed(chart.lines))
    svg = draw_chart(chart)
    return Figure(name, chart.title, svg, chart.x_title, chart.y_title, legend, values)


def map_figure(name: str, heat_map: HeatMap, x_title: str, y_title: str) -> Figure:
    """A heat map as a figure of the page."""
    svg = draw_heat_map(heat_map)
    return Figure(name, heat_map.title, svg, x_title, y_title, kind="map")
