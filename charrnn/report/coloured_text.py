"""A text in the colours of a number per character."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from charrnn.arrays import Array
from charrnn.report.terminal import print_line, table_console
from charrnn.results import CharacterScores
from charrnn.system.escaping import DIRECTIONS, harmless
from charrnn.units import BITS_PER_NAT

ONE_COLUMN = str.maketrans(dict.fromkeys(map(chr, DIRECTIONS), "\ufffd") | {"\t": " "})


class Palette(NamedTuple):
    """Styles for ranges of a number.

    Attributes:
        bounds: Where one range ends and the next begins, ascending (k - 1).
        styles: A style for each range, from the lowest up (k).
        plain: The same for a terminal without colours (k).
    """

    bounds: Sequence[float]
    styles: Sequence[str]
    plain: Sequence[str]


SURPRISAL = Palette(
    bounds=(1, 2, 4, 6, 8),
    styles=(
        "", "black on #fff1c2", "black on #fdd28a", "black on #fba45c", "black on #f0713c",
        "white on #c0311a",
    ),
    plain=("dim", "", "", "bold", "underline", "reverse"),
)  # fmt: skip


def print_surprisal(scores: CharacterScores) -> None:
    """Prints a text in the colours of its surprisal, and what the colours mean."""
    bits = scores.nats * BITS_PER_NAT
    print_coloured(scores.text, bits, SURPRISAL, ("0", "1", "2", "4", "6", "8 bits or more"))


def print_coloured(
    text: str, values: Array, palette: Palette, legend: Sequence[str], title: str = "bits:"
) -> None:
    """Prints a text in colours, and a legend.

    Args:
        text: The text, N characters.
        values: The number of each (N,); NaN for none.
        palette: The colours.
        legend: What the lower end of each range is called.
        title: What comes before the legend.
    """
    console = table_console()
    styles = _styles(palette, console)
    shown = Text(no_wrap=False)
    levels = np.searchsorted(palette.bounds, values, side="right")
    for character, level, value in zip(text, levels.tolist(), values.tolist(), strict=True):
        style = "" if value != value else styles[level]
        if character == "\n":
            shown.append("⏎" if style else "", style)
            shown.append("\n")
        else:
            shown.append(harmless(character.translate(ONE_COLUMN)), style)
    shown.rstrip()
    console.print(shown, soft_wrap=True)
    explained = Text(title)
    for style, words in zip(styles, legend, strict=True):
        explained.append(" ")
        explained.append(f" {words} ", style)
    console.print(explained) if console.is_terminal else print_line(
        console, "colours are shown on a terminal only."
    )


def _styles(palette: Palette, console: Console) -> Sequence[str]:
    return palette.plain if console.no_color else palette.styles
