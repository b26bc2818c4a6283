"""Breaks a text into lines whose characters stay known by their positions."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from rich.cells import cell_len
from rich.console import Console

from charrnn.system.escaping import WITHOUT_DIRECTIONS, harmless

Line = list[tuple[int, str]]  # the position in the text of each character, and what shows it

LINE_END = "⏎"
ONE_COLUMN = str.maketrans({"	": " "}) | WITHOUT_DIRECTIONS


def laid_out(text: str, width: int | None) -> Iterator[Line]:
    """Breaks a text into lines, where possible after a space.

    Args:
        text: The text.
        width: Terminal columns of a line; None to break it at its newlines only.

    Yields:
        Lines; together they have every character of the text. A newline is shown as LINE_END, or
        as nothing at the end of a full line.
    """
    most, line, columns, broken_at = width or inf, list[tuple[int, str]](), 0, 0
    for position, character in enumerate(text):
        glyph = harmless(character.translate(ONE_COLUMN))
        if character == "\n":
            yield [*line, (position, LINE_END if columns < most else "")]
            line, columns, broken_at = [], 0, 0
            continue
        if line and columns + cell_len(glyph) > most:
            cut = broken_at or len(line)
            yield line[:cut]
            line, broken_at = line[cut:], 0
            columns = cell_len("".join(shown for _, shown in line))
        line.append((position, glyph))
        columns += cell_len(glyph)
        if glyph == " ":
            broken_at = len(line)
    if line:
        yield line


def print_marked(
    console: Console,
    line: Iterable[tuple[int, str]],
    marks: str,
    levels: Sequence[tuple[bool, int]],
) -> None:
    """Prints a line, and below it the mark of each of its characters, unless it has none.

    Args:
        console: Where to print.
        line: The line.
        marks: The mark of each level; empty to print none.
        levels: Whether each character of the text has a level, and which.
    """
    above, below = "", ""
    for position, glyph in line:
        known, level = levels[position]
        mark = marks[level] if known and marks else " "
        shown = glyph if glyph != LINE_END or mark != " " else ""
        above += shown
        below += (mark if cell_len(shown) else "").ljust(cell_len(shown))
    rows = above if below.isspace() or not below else f"{above}\n{below.rstrip()}"
    console.print(rows, markup=False, highlight=False, soft_wrap=True)
