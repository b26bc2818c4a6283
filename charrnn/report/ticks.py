"""Round numbers along an axis."""

from math import ceil, floor, log10

MANTISSAS = (1, 2, 5, 10)
FEW_DECADES = 100  # times from end to end, below which powers of ten are too few


def linear_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most so many multiples of 1, 2 or 5 times a power of ten from `low` to `high`."""
    if not low < high:
        return [low]
    decade = 10 ** floor(log10((high - low) / most))
    step = next(decade * m for m in MANTISSAS if (high - low) / (decade * m) <= most - 1 or m == 10)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Powers of ten between two positive numbers, or also 2 and 5 times these where few fit."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    every = -(-len(decades) // most)
    mantissas = (1, 2, 5) if high / low < FEW_DECADES else (1,)
    found = [m * 10.0**decade for decade in decades[::every] for m in mantissas]
    return [tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def tick_label(value: float) -> str:
    """A number as an axis shows it: 1,500, 0.25 or 1e-05."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.0e}"
    return f"{value:,.6g}"
