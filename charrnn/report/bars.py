"""Bars in text, also on a logarithmic scale on which 1 is marked."""

import numpy as np

from charrnn.arrays import Array

BELOW, MAX_ABOVE = 3, 6  # decades of the scale, below 1 and at most above it
NEGLIGIBLE = 1.05  # values up to it need no decade above 1
EIGHTHS = " ▏▎▍▌▋▊▉"
MARK, BEYOND = "│", "→"
SUPERSCRIPTS = str.maketrans("23456", "²³⁴⁵⁶")


def log_bars(values: Array, width: int) -> tuple[str, list[str]]:
    """Draws values as bars on a scale from 10⁻³ to 1, or further if there are larger values.

    Args:
        values: The values (n,), 0 or more.
        width: Characters of the longest bar, at least 16.

    Returns:
        A heading that shows the scale, and a bar for each value. The mark in a bar is at 1; values
        above the scale end in an arrow.
    """
    with np.errstate(divide="ignore"):
        decades = np.log10(values)
    largest = decades.max()
    above = int(np.ceil(min(largest, MAX_ABOVE))) if largest > np.log10(NEGLIGIBLE) else 0
    left = round((width - 1) * BELOW / (BELOW + above))
    right = width - 1 - left
    bars = []
    for value in decades:
        drawn = bar(1 + value / BELOW, left) + MARK + bar(value / max(above, 1), right)
        bars.append(drawn[:-1] + BEYOND if above and value > above else drawn)
    most = "10" + f"{above}".translate(SUPERSCRIPTS) if above > 1 else "10" * above
    return f"10⁻³{'1':>{left - 3}}{most:>{right}}", bars


def bar(fraction: float, width: int) -> str:
    """A bar of this fraction of the width, padded to it, in steps of an eighth of a character."""
    eighths = int(np.clip(fraction, 0, 1) * width * 8 + 0.5)
    drawn = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    return drawn.ljust(width)
