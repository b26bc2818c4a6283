"""The parts of an explanation in a notebook: words, tables, curves and heat maps."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from markupsafe import Markup

from charrnn.report.explanation import description, label, numbered, print_part
from charrnn.report.html_charts import picture
from charrnn.report.html_console import printed
from charrnn.report.html_texts import message
from charrnn.report.page_curves import SERIES
from charrnn.report.page_figures import Figure, chart_figure, map_figure
from charrnn.report.svg_charts import Chart, HeatMap, Line
from charrnn.results import Curves, Explanation, Matrix
from charrnn.results import Part as PartOfExplanation

MAX_LABELS = 40  # along an axis of a heat map
MAX_FULL_LABELS = 14  # columns with labels of several characters
CELL = 16  # pixels of the height of a cell
LARGEST_MAP = 400  # pixels


def explanation_parts(found: Explanation) -> list[Markup]:
    """What a topic is about, then its parts."""
    parts = [message(found.title, "head"), *(message(line, "quiet") for line in description(found))]
    for part in found.parts:
        parts += part_of_explanation(part)
    return parts


def part_of_explanation(part: PartOfExplanation) -> list[Markup]:
    """One part, with its title."""
    if isinstance(part, Curves) and "x" not in part.logarithmic:
        return [_title(part), picture(_curves(part))]
    if isinstance(part, Matrix) and (part.heat or part.shown == "picture"):
        height = min(CELL * len(part.rows), LARGEST_MAP)
        return [_title(part), picture(_map(part), height), message(_colors(part), "quiet")]
    return [printed(partial(print_part, part))]


def _title(part: Curves | Matrix) -> Markup:
    return message(numbered(part.equation, part.title), "head")


def _curves(curves: Curves) -> Figure:
    lines = [
        Line(label, curves.x, values, f"s{number % SERIES + 1}")
        for number, (label, values) in enumerate(curves.lines.items())
    ]
    lines += [
        Line(label, x, y, "faint", dots=True, joined=False)
        for label, (x, y) in curves.points.items()
    ]
    chart = Chart(
        curves.title, curves.x_title, curves.y_title, tuple(lines),
        limits=curves.limits, logarithmic="y" in curves.logarithmic,
    )  # fmt: skip
    return chart_figure(curves.name, chart)


def _map(matrix: Matrix) -> Figure:
    """Norms are shown by their roots, so that small ones are visible too."""
    values = matrix.values
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    shares = np.sqrt(np.abs(values) / largest) if matrix.heat else np.abs(values) / largest
    other = values < 0 if matrix.kept is None else ~matrix.kept
    heat_map = HeatMap(
        matrix.title, shares, _labels(matrix.rows), _labels(matrix.columns, last=True), other=other
    )
    return map_figure(matrix.name, heat_map, matrix.column_title, matrix.row_title)


def _labels(names: Sequence[str], last: bool = False) -> list[tuple[float, str]]:
    """Labels that fit, each with the middle of its cell; last: of each only the character."""
    every = -(-len(names) // MAX_LABELS) or 1
    short = last and len(names) > MAX_FULL_LABELS
    return [
        (n + 0.5, label(names[n][-1] if short else names[n])) for n in range(0, len(names), every)
    ]


def _colors(matrix: Matrix) -> str:
    largest = float(np.nanmax(np.abs(matrix.values), initial=0.0))
    words = f"darkest: {largest:.3g}"
    if matrix.kept is not None:
        return f"{words}; orange: left out by truncation"
    return f"{words}; orange: below 0" if np.nanmin(matrix.values, initial=0.0) < 0 else words
