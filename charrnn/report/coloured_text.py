"""A text in the colours of a number per character."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from charrnn.arrays import Array
from charrnn.report.terminal import print_line, table_console
from charrnn.results import CharacterScores, UnitCorrelation, UnitReport
from charrnn.system.escaping import WITHOUT_DIRECTIONS, harmless
from charrnn.system.streams import say
from charrnn.units import BITS_PER_NAT

ONE_COLUMN = str.maketrans({"\t": " "}) | WITHOUT_DIRECTIONS


class Palette(NamedTuple):
    """Styles for ranges of a number.

    Attributes:
        bounds: Where one range ends and the next begins, ascending (k - 1).
        styles: A style for each range, from the lowest up (k).
        plain: The same for a terminal without colours (k).
        basic: The same for a terminal of 16 colours (k); None for the nearest to `styles`.
    """

    bounds: Sequence[float]
    styles: Sequence[str]
    plain: Sequence[str]
    basic: Sequence[str] | None = None


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


UNIT = Palette(
    bounds=(-0.7, -0.4, -0.1, 0.1, 0.4, 0.7),
    styles=(
        "#ffffff on #2456b0", "black on #85b1ea", "black on #d3e4fa", "black on #f4f4f4",
        "black on #fbdcd0", "black on #f39a80", "#ffffff on #c0311a",
    ),
    plain=("bold underline", "underline", "", "dim", "", "bold", "reverse"),
    basic=("white on blue", "black on cyan", "", "", "", "black on yellow", "white on red"),
)  # fmt: skip

RESTING = Palette(  # from the middle up, for a ReLU, which rests at 0
    UNIT.bounds[3:], UNIT.styles[3:], UNIT.plain[3:], UNIT.basic and UNIT.basic[3:]
)


def print_unit(report: UnitReport) -> None:
    """Prints a text in the colours of a unit's state, blue below and red above the middle.

    Args:
        report: A report on a single unit, with a passage.
    """
    bounded = (report.lowest, report.highest) in ((-1, 1), (0, 1))
    states = report.states[:, 0]
    highest = report.highest if bounded else float(states.max(initial=0))
    middle = (report.lowest + highest) / 2 if bounded else 0.0
    palette = UNIT if bounded else RESTING
    reach = max(highest - middle, 1e-30)
    lower_ends = [middle + bound * reach for bound in (-1 if bounded else 0, *palette.bounds)]
    legend = [f"{value:.2g}" for value in lower_ends]
    legend[-1] += f"–{highest:.2g}"
    print_coloured(report.text, (states - middle) / reach, palette, legend, "state:")
    name = f"{report.names[0].replace(':', ' ')} of {report.state_size:,}"
    if report.depth > 1:
        name += f", in layer {report.layers[0]} of {report.depth}"
    print_line(table_console(), f"{name}: {_followed(report.features[0])}")


def _followed(features: Sequence[UnitCorrelation]) -> str:
    """What a unit follows, in words."""
    followed = [one for one in features if one.significant]
    if not followed:
        return "it follows no feature of this text more closely than by chance"
    listed = ", ".join(f"{one.feature} {one.correlation:+.2f}" for one in followed)
    return f"correlates with {listed}"


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
    if console.is_terminal:
        console.print(explained)
    else:
        say("note: colours are shown on a terminal only.")


def _styles(palette: Palette, console: Console) -> Sequence[str]:
    if console.no_color or console.color_system is None:
        return palette.plain
    basic = palette.basic if console.color_system == "standard" else None
    return basic or palette.styles
