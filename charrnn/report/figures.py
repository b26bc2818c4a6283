"""What all plots share: files, panels, colours, labelled lines and heat maps."""

import logging
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import UsageError
from charrnn.report.line_ends import apart, visible_end
from charrnn.system.escaping import drawable
from charrnn.system.extras import import_extra
from charrnn.system.files import write_atomically
from charrnn.wording import setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.transforms import Affine2D

FORMATS = (".png", ".svg", ".pdf")
SEQUENTIAL = "plasma_r"  # light for the least, dark for the most
DIVERGING = "RdBu_r"
LIGHTEST = 0.4  # of SEQUENTIAL, for lines and letters on white
POINTS = 72  # per inch
LABEL_SIZE, LINE_SPACING, LABEL_GAP = 9, 1.3, 10  # points, per size, points from the panel
MAX_RULE = 0.15  # widths of a panel from the end of a line to the right edge
MAX_TITLE_LINES = 4
MAX_TICKS, MAX_NUMBERED_CELLS = 40, 100
SMALLEST_NUMBER = 5  # points; in cells too small for it, no numbers are written


def drawing(path: str, option: str = "plot") -> "Callable[[Figure], None]":
    """A function that writes a figure to this file, which messages name as that of an option.

    Raises:
        UsageError: If the format is not one of FORMATS or matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise UsageError(
            f"{setting(option, path)} is not one of {', '.join(FORMATS)}.",
            f"such as {setting(option, path + '.png')}",
        )
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a read-only home
    try:
        import_extra("matplotlib", "plot", f"`{option}`")  # fail before anything is computed
    except (ValueError, OSError) as error:  # of an environment variable or a matplotlibrc
        raise UsageError(f"matplotlib cannot start: {error}.", "mend its settings.") from None

    def draw(figure: "Figure") -> None:
        from matplotlib.text import Text

        content = BytesIO()
        for text in figure.findobj(Text):
            text.set_text(drawable(text.get_text()))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # drawn as a box, which shows it
            figure.savefig(content, format=Path(path).suffix[1:].lower(), dpi=150)
        try:
            write_atomically(Path(path), content.getvalue())
        except OSError as error:
            raise UsageError(
                f"{setting(option, path)} cannot be written: {error.strerror}.",
                "choose another file.",
            ) from None

    return draw


def new_figure(
    columns: int, title: str | None, *, rows: int = 1, width: float = 4.5, height: float = 4.0
) -> "tuple[Figure, list[Axes]]":
    """An empty figure, and its panels row by row.

    Args:
        columns: Panels per row.
        title: The title of the figure, shown as it is; None for no title.
        rows: Rows of panels.
        width: Width of a panel in inches, with its labels.
        height: Height of a panel in inches, with its labels.
    """
    figure = titled_figure(columns * width, rows * height, title)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def titled_figure(width: float, height: float, title: str | None) -> "Figure":
    """An empty figure of this size in inches, with a title that is shown as it is."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    if title:
        per_line = int(width * POINTS / (12 * 0.6))  # characters of 12 points
        lines = fill(title, per_line, max_lines=MAX_TITLE_LINES, placeholder=" …")
        figure.suptitle(lines, fontsize=12, parse_math=False)
    return figure


def finish(panel: "Axes", title: str, x: str, y: str) -> None:
    """Writes the titles of a panel and of its axes, as they are, and draws a grid."""
    panel.set_title(title, fontsize=11, parse_math=False)
    panel.set_xlabel(x, parse_math=False)
    panel.set_ylabel(y, parse_math=False)
    panel.grid(alpha=0.25)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def shades(count: int) -> list[str]:
    """Colours for an ordered quantity, from light to dark, all readable on white."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps[SEQUENTIAL](place)) for place in np.linspace(LIGHTEST, 1, count)]


def label_lines(panel: "Axes", labels: "Sequence[tuple[Line2D, str]]") -> None:
    """Writes labels beside the right ends of lines, in their colours, without overlaps.

    The labels stand in a column at the right of the panel, as near to the ends of their lines as
    they can. A thin rule joins each to its line, unless the line ends far to the left. They are
    placed when the figure is drawn, so limits and scales may still change.

    Args:
        panel: The panel.
        labels: Lines of the panel, each with its label.
    """
    heights = np.array([label.count("\n") + 1 for _, label in labels]) * LABEL_SIZE * LINE_SPACING

    def ends() -> Array:
        """The ends of the lines (n, 2), in pixels."""
        edges = np.array(panel.bbox.extents)
        curves = (
            np.asarray(line.get_transform().transform(line.get_xydata())) for line, _ in labels
        )
        return np.array([visible_end(curve, edges) for curve in curves])

    def place(number: int) -> "Affine2D":
        """The left edge of a label and its centre, as a shift in pixels."""
        box, pixels = panel.bbox, panel.figure.dpi / POINTS  # per point
        x, y = ends().T
        early = box.x1 - x  # of the lines that leave at the top, the first gets the top label
        wanted = y + np.where(y > box.y1 - 1, early, 0) - np.where(y < box.y0 + 1, early, 0)
        centres = apart(wanted, heights * pixels, box.y0, box.y1)
        return _shift(box.x1 + LABEL_GAP * pixels, centres[number])

    def start(number: int) -> "Affine2D":
        """Where the rule to a label starts, as a shift in pixels."""
        x, y = ends()[number]
        far = x < panel.bbox.x1 - MAX_RULE * panel.bbox.width
        return place(number) if far else _shift(x, y)

    for number, (line, label) in enumerate(labels):
        color = line.get_color()
        panel.annotate(
            label, (0, 0), (0, 0), xycoords=lambda _, n=number: start(n),
            textcoords=lambda _, n=number: place(n),
            color=color, fontsize=LABEL_SIZE, verticalalignment="center", annotation_clip=False,
            parse_math=False, arrowprops={
                "arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.6,
                "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5),
            },
        )  # fmt: skip


def _shift(x: float, y: float) -> "Affine2D":
    from matplotlib.transforms import Affine2D

    return Affine2D().translate(x, y)


def heat_map(
    panel: "Axes",
    matrix: Array,
    *,
    title: str,
    x: str,
    y: str,
    label: str,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    log: bool = False,
    signed: bool = False,
) -> None:
    """Draws a matrix in colours, with its numbers if it is small.

    Args:
        panel: The panel.
        matrix: The values (rows, columns); NaN is left white.
        title: The title of the panel.
        x: What the columns are.
        y: What the rows are.
        label: What the colours show.
        row_labels: A label for each row, such as its character; numbers if None.
        column_labels: A label for each column.
        log: Whether the colours are logarithmic; values of 0 get the colour of the smallest.
        signed: Whether the colours are centred on 0; not with `log`.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.ticker import MaxNLocator

    shown = matrix[np.isfinite(matrix) & ((matrix > 0) | (not log))]
    low, high = (shown.min(), shown.max()) if shown.size else (1, 1)
    if signed:
        high = max(abs(low), abs(high)) or 1
        low = -high
    if low == high:
        high = 10 * low if log else low + 1
    norm = (LogNorm if log else Normalize)(low, high, clip=True)
    colors = colormaps[DIVERGING if signed else SEQUENTIAL]
    image = panel.imshow(matrix, cmap=colors, norm=norm, aspect="auto", interpolation="nearest")
    panel.figure.colorbar(image, ax=panel).set_label(label, parse_math=False)
    finish(panel, title, x, y)
    panel.grid(visible=False)
    for axis, names in ((panel.xaxis, column_labels), (panel.yaxis, row_labels)):
        if names is None:
            axis.set_major_locator(MaxNLocator(integer=True))
        else:
            places = range(0, len(names), -(-len(names) // MAX_TICKS) or 1)
            axis.set_ticks(places, [names[n] for n in places], fontsize=8, parse_math=False)
    if matrix.size <= MAX_NUMBERED_CELLS:
        _number_cells(panel, matrix, image.to_rgba(matrix))


def _number_cells(panel: "Axes", matrix: Array, colors: Array) -> None:
    """Writes the numbers into cells of these colours (rows, columns, 4), if they fit."""
    written = {cell: f"{value:.2g}" for cell, value in np.ndenumerate(matrix) if value == value}
    longest = max(map(len, written.values()), default=1)
    wide = panel.bbox.width * POINTS / panel.figure.dpi / matrix.shape[1]
    size = min(9, 0.9 * wide / (0.55 * longest))
    if size < SMALLEST_NUMBER:
        return
    for (row, column), number in written.items():
        dark = colors[row, column, :3] @ (0.3, 0.6, 0.1) < 0.5
        panel.text(
            column, row, number, color="white" if dark else "black", fontsize=size,
            horizontalalignment="center", verticalalignment="center",
        )  # fmt: skip
