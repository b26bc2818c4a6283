"""A text in the colours of a number per character."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from charrnn.arrays import Array
from charrnn.report.terminal import print_line, table_console
from charrnn.report.text_lines import LINE_END, laid_out, print_marked
from charrnn.results import CharacterScores, UnitCorrelation, UnitReport
from charrnn.units import BITS_PER_NAT


class Palette(NamedTuple):
    """Styles for ranges of a number.

    Attributes:
        bounds: Where one range ends and the next begins, ascending (k - 1).
        styles: A style for each range, from the lowest up (k).
        plain: The same for a terminal without colours (k).
        basic: The same for a terminal of 16 colours (k); None for the nearest to `styles`.
        marks: A mark for each range (k), where there are no colours; empty without marks.
        marks_note: What the marks mean.
    """

    bounds: Sequence[float]
    styles: Sequence[str]
    plain: Sequence[str]
    basic: Sequence[str] | None = None
    marks: str = ""
    marks_note: str = ""


SURPRISAL = Palette(
    bounds=(1, 2, 4, 6, 8),
    styles=(
        "", "black on #fff1c2", "black on #fdd28a", "black on #fba45c", "black on #f0713c",
        "#ffffff on #af0000",
    ),
    plain=("dim", "", "", "bold", "underline", "reverse"),
    basic=(
        "", "underline", "black on bright_yellow", "black on yellow", "black on bright_red",
        "white on red",
    ),
    marks=" 12468",
    marks_note="below a character: its surprisal, at least 1, 2, 4, 6 or 8 bits",
)  # fmt: skip


def print_surprisal(scores: CharacterScores) -> None:
    """Prints a text in the colours of its surprisal, and what the colours mean."""
    bits = scores.nats * BITS_PER_NAT
    print_coloured(scores.text, bits, SURPRISAL, ("0", "1", "2", "4", "6", "8 bits or more"))


UNIT = Palette(
    bounds=(-0.7, -0.4, -0.1, 0.1, 0.4, 0.7),
    styles=(
        "#ffffff on #2456b0", "black on #85b1ea", "black on #d3e4fa", "black on #f4f4f4",
        "black on #fbdcd0", "black on #f39a80", "#ffffff on #af0000",
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
    """Prints a text in colours, and a legend; where there are none, with marks below it.

    Args:
        text: The text, N characters.
        values: The number of each (N,); NaN for none.
        palette: The colours.
        legend: What the lower end of each range is called.
        title: What comes before the legend.
    """
    console = table_console()
    levels = np.searchsorted(palette.bounds, values, side="right").tolist()
    known = (values == values).tolist()
    lines = laid_out(text, console.width if console.is_terminal else None)
    if console.color_system is None:
        for line in lines:
            print_marked(console, line, palette.marks, [*zip(known, levels, strict=True)])
        note = palette.marks_note or "colours are shown on a terminal only."
        print_line(console, note)
        return
    styles = _styles(palette, console)
    for line in lines:
        shown = Text()
        for position, glyph in line:
            style = styles[levels[position]] if known[position] else ""
            shown.append(glyph if style or glyph != LINE_END else "", style)
        console.print(shown, soft_wrap=True)
    explained = Text(title)
    for style, words in zip(styles, legend, strict=True):
        explained.append(" ")
        explained.append(f" {words} ", style)
    console.print(explained)


def _styles(palette: Palette, console: Console) -> Sequence[str]:
    if console.no_color:
        return palette.plain
    basic = palette.basic if console.color_system == "standard" else None
    return basic or palette.styles
