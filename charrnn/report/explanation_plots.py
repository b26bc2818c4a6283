"""Draws an explanation: a panel for each matrix and each set of curves."""

from typing import TYPE_CHECKING

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import UsageError
from charrnn.report.explanation import label
from charrnn.report.figures import finish, heat_map, label_lines, new_figure, shades
from charrnn.results import Curves, ExplainedNetwork, Explanation, Matrix
from charrnn.system.escaping import harmless
from charrnn.wording import activation_name, pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = [f"C{number}" for number in range(10)]
MAX_COLUMNS = 3
MAX_TITLE = 40  # characters of the text
MAX_LONG_LABELS = 14


def plot_explanation(found: Explanation, title: str | None = None) -> "Figure":
    """A figure of the parts of a topic that are numbers over two axes.

    Args:
        found: The topic.
        title: The title; None for one that names the topic, the text and the network.

    Raises:
        UsageError: There is nothing to draw.
    """
    parts = [
        part
        for part in found.parts
        if isinstance(part, Matrix | Curves) and part.shown != "terminal"
    ]
    if not parts:
        raise UsageError("the tour has no plot.", "choose a topic.")
    columns = 2 if len(parts) == 4 else min(len(parts), MAX_COLUMNS)
    rows = -(-len(parts) // columns)
    if title is None:
        title = f"{found.title}: {in_words(found.network)}"
    figure, panels = new_figure(columns, title, rows=rows, width=5.4, height=4.4)
    for panel, part in zip(panels, parts, strict=False):
        if isinstance(part, Matrix):
            _draw_matrix(panel, part)
        else:
            _draw_curves(panel, part)
    for panel in panels[len(parts) :]:
        panel.remove()
    return figure


def in_words(network: ExplainedNetwork) -> str:
    """The text and the network as a title has them."""
    text = network.text if len(network.text) <= MAX_TITLE else f"{network.text[:MAX_TITLE]}…"
    layer, size = "", pluralize(network.hidden_size, "unit")
    if network.layers > 1:
        layer, size = f"layer {network.layer} of ", f"{network.layers} layers of {size}"
    kind = "a trained" if network.trained else "a random"
    activation = activation_name(network.activation)
    return f"“{harmless(text.strip())}” read by {layer}{kind} {activation} network of {size}"


def _draw_matrix(panel: "Axes", matrix: Matrix) -> None:
    few = len(matrix.columns) <= MAX_LONG_LABELS  # of more, only the characters fit
    signed = not matrix.heat and bool((matrix.values < 0).any())
    heat_map(
        panel,
        matrix.values,
        title=matrix.title,
        x=matrix.column_title,
        y=matrix.row_title,
        label="norm" if matrix.heat else "value",
        row_labels=[label(row) for row in matrix.rows],
        column_labels=[label(column if few else column[-1]) for column in matrix.columns],
        log=matrix.heat,
        signed=signed,
    )
    if matrix.kept is not None:
        _outline(panel, matrix.kept)


def _outline(panel: "Axes", kept: Array) -> None:
    """Draws a line around cells, where their neighbours are not among them."""
    padded = np.pad(kept, 1)
    for row, column in np.argwhere(kept):
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            if not padded[row + 1 + dy, column + 1 + dx]:
                x, y = column + dx / 2, row + dy / 2
                ends = [x - dy / 2, x + dy / 2], [y - dx / 2, y + dx / 2]
                panel.plot(*ends, color="black", linewidth=2.5, solid_capstyle="projecting")


def _draw_curves(panel: "Axes", curves: Curves) -> None:
    ordered = shades(len(curves.lines))
    drawn = []
    for number, (name, line) in enumerate(curves.lines.items()):
        color = ordered[number] if curves.ordered else COLORS[number % len(COLORS)]
        values = np.where(line > 0, line, np.nan) if "y" in curves.logarithmic else line
        dashes = "-" if number < len(COLORS) else "--"
        drawn += [(panel.plot(curves.x, values, dashes, color=color)[0], name)]
    for name, (x, y) in curves.points.items():
        dots = panel.plot(x, y, "o", color="black", markersize=4, alpha=0.6)[0]
        if len(x) == 1:
            panel.annotate(name, (x[0], y[0]), (6, 6), textcoords="offset points", fontsize=9)
        else:
            drawn += [(dots, name)]
    if "x" in curves.logarithmic:
        panel.set_xscale("log")
    if "y" in curves.logarithmic:
        panel.set_yscale("log")
    finish(panel, curves.title, curves.x_title, curves.y_title)
    if curves.limits is not None:
        panel.set_ylim(*curves.limits)
    label_lines(panel, drawn)
