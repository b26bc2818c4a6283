"""Figures of a page as drawings that need no style sheet, for a notebook of any colours."""

from base64 import b64encode

from markupsafe import Markup

from charrnn.report.page_figures import Figure
from charrnn.report.page_source import fragments, page_source

PLOT = 190  # pixels of the height of a chart, without legend and labels
ROW, BELOW = 18, 40  # pixels of a row of the legend, and below the plot
LETTER, MARK, GAP = 6.3, 24, 16  # pixels of a letter, of a curve's mark, and between labels
NARROWEST = 320  # pixels that a legend may be wide


def drawing(figure: Figure, height: int = PLOT) -> Markup:
    """A figure as SVG, with its legend above it."""
    keys, rows = _legend(figure)
    top = ROW * rows + 10
    svg: Markup = fragments().drawing(
        figure, page_source("chart.css"), keys, top, top + height + BELOW
    )
    return svg


def picture(figure: Figure, height: int = PLOT) -> Markup:
    """The same as an image, of which a reader that allows no SVG shows the title."""
    svg = drawing(figure, height)
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    _, rows = _legend(figure)
    image: Markup = fragments().picture(source, figure.title, ROW * rows + 10 + height + BELOW)
    return image


def _legend(figure: Figure) -> tuple[list[tuple[float, float, str, str]], int]:
    """Where each label is, with the class of its curve, and the number of rows."""
    labels = [(figure.y_title, "")]
    labels += figure.legend if len(figure.legend) > 1 else ()
    keys, x, rows = list[tuple[float, float, str, str]](), 0.0, 1
    for label, look in labels:
        width = LETTER * len(label) + (MARK if look else 0)
        if x and x + width > NARROWEST:
            x, rows = 0.0, rows + 1
        keys.append((x, ROW * rows - 4.0, label, look))
        x += width + GAP
    return keys, rows
