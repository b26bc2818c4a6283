"""Matrices in text: each cell a shade, on a logarithmic scale."""

import numpy as np

from charrnn.arrays import Array
from charrnn.wording import pluralize

SHADES = " ░▒▓█"  # for 10⁻⁴ and below, 10⁻³, 10⁻², 10⁻¹ and 1
LEGEND = "█ 1  ▓ 0.1  ▒ 0.01  ░ 0.001"
NUMBER = 5  # columns of the numbers at the left


def shade_map(
    matrix: Array, places: Array, width: int, height: int, *, x: str, y: str
) -> list[str]:
    """Draws a matrix of values relative to 1, with its first row at the bottom.

    Args:
        matrix: The values (rows, columns), 0 or more; NaN is left blank.
        places: Where the columns are on the x axis (columns,).
        width: Columns of text.
        height: Lines of text, with the axis and the legend.
        x: What the columns are.
        y: What the rows are.

    Returns:
        The lines.
    """
    rows, columns = matrix.shape
    if not matrix.size:
        return ["no values to show"]
    lines, across = min(max(height - 3, 1), rows), max(width - NUMBER - 2, 1)
    chosen = np.linspace(0, rows - 1, lines).round().astype(int)
    repeated = np.linspace(0, columns - 1e-9, across).astype(int)
    with np.errstate(divide="ignore"):
        decades = np.log10(matrix[chosen][:, repeated])
    top = len(SHADES) - 1
    levels = np.clip(np.nan_to_num(decades, nan=-top, neginf=-top, posinf=0), -top, 0)
    shades = np.array(list(SHADES))[(levels + top).round().astype(int)]
    drawn = [
        f"{row if line % 2 == 0 or lines < 6 else '':>{NUMBER}}┤{''.join(shades[line])}"
        for line, row in enumerate(chosen)
    ]
    first, last = (f"{place:,.6g}" if np.isfinite(place) else "" for place in places[[0, -1]])
    last = f"{last} {x}"
    space = " " * max(across - len(first) - len(last), 1)
    return [
        *reversed(drawn),
        f"{'':{NUMBER}}└{'─' * across}",
        f"{'':{NUMBER}} {first if columns > 1 else ''}{space}{last}",
        f"{y + ' ':>{NUMBER + 1}}{pluralize(columns, 'profile')}  {LEGEND}",
    ]
