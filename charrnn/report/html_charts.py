"""Figures of a page as drawings that need no style sheet, for a notebook of any colours."""

from base64 import b64encode

from markupsafe import Markup

from charrnn.report.page_figures import Figure
from charrnn.report.page_source import fragments, page_source

SVG = 'xmlns="http://www.w3.org/2000/svg"'
PLOT = 190  # pixels of the height of a chart, without legend and labels
ROW, AROUND = 18, 58  # pixels of a row of the legend, and above and below the plot
LETTER, MARK, GAP = 6.5, 24, 16  # pixels of a letter, of a curve's mark, and between labels
NARROWEST = 300  # pixels that a legend may be wide


def drawing(figure: Figure, height: int = PLOT) -> Markup:
    """A figure as HTML, which does not flicker where it is updated."""
    drawn = fragments().drawing(figure, page_source("chart.css"), height)
    return Markup(str(drawn).replace("<svg", f"<svg {SVG}", 1))


def picture(figure: Figure, height: int = PLOT) -> Markup:
    """The same as an image, of which a reader that allows no SVG shows the title."""
    image = fragments().image(drawing(figure, height))
    source = f"data:image/svg+xml;base64,{b64encode(image.encode()).decode()}"
    total = ROW * _rows(figure) + height + AROUND
    html: Markup = fragments().picture(source, figure.title, total)
    return html


def _rows(figure: Figure) -> int:
    """The rows that the legend takes in a narrow notebook."""
    rows, x = 1, LETTER * len(figure.y_title)
    for label, _ in figure.legend if len(figure.legend) > 1 else ():
        width = GAP + MARK + LETTER * len(label)
        rows, x = (rows, x + width) if x + width <= NARROWEST else (rows + 1, width)
    return rows
