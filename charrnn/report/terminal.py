"""Consoles, lines and tables that fit the width of a terminal."""

import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from rich import box
from rich.cells import cell_len, chop_cells
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table

UNLIMITED = 1000  # columns, wider than any table: off a terminal, nothing is wrapped or left out


class PipeConsole(Console):
    """A console that raises BrokenPipeError, where Rich would exit the program."""

    def on_broken_pipe(self) -> None:
        """Re-raises the BrokenPipeError being handled."""
        raise


def can_redraw(console: Console) -> bool:
    """Whether a console on standard error is a terminal that moves its cursor."""
    return console.is_interactive and not console.legacy_windows and sys.stderr.isatty()


_replaced: ContextVar[Console | None] = ContextVar("console", default=None)


@contextmanager
def printing_on(console: Console) -> Iterator[None]:
    """Results are printed on this console meanwhile, instead of standard output."""
    token = _replaced.set(console)
    try:
        yield
    finally:
        _replaced.reset(token)


def on_command_line() -> bool:
    """Whether results are printed for the command line, so that options are written as there."""
    return _replaced.get() is None


def table_console() -> Console:
    """A console for results on standard output; off a terminal its width is unlimited."""
    if replaced := _replaced.get():
        return replaced
    console = PipeConsole(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console


def print_line(
    console: Console, line: str, style: str | None = None, *, hanging: int | None = None
) -> None:
    """Prints a line: on a terminal wrapped between words, with an indent; elsewhere as it is.

    hanging: the indent of continuation lines; by default two columns more than that of the line.
    """
    if console.is_terminal:
        line = wrapped(line, console.width, hanging)
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def wrapped(text: str, width: int, hanging: int | None = None) -> str:
    """Lines broken between words; if possible where there is more space than between words."""
    return "\n".join(_wrapped(line, width, hanging) for line in text.split("\n"))


def _wrapped(line: str, width: int, hanging: int | None) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2 if hanging is None else hanging)
    lines = [""]
    for column in re.findall(r"\s*\S+(?:\s\S+)*", line):
        fits = lines != [""] and cell_len(indent + column.lstrip()) <= width
        for part in [column] if fits else re.findall(r"\s*\S+", column):
            if lines == [""] or cell_len(lines[-1] + part) <= width:
                lines[-1] += part
            else:
                lines.append(indent + part.lstrip())
    return "\n".join(lines)


def simple_table(title: str) -> Table:
    """An empty table with a rule below its headings."""
    return Table(
        title=title, title_justify="left", title_style="bold", caption_justify="left",
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip


def table_of(
    title: str,
    rows: Sequence[Mapping[str, RenderableType]],
    left: Container[str] = (),
    omitted: Container[str] = (),
    wrapping: Container[str] = (),
) -> Table:
    """A table with a column per key of its rows, except for those omitted.

    left: columns that are aligned to the left; numbers are aligned to the right. wrapping: columns
    that may be narrower than their cells, which then take several lines.
    """
    table = simple_table(title)
    shown = [heading for heading in rows[0] if heading not in omitted]
    for heading in shown:
        justify: JustifyMethod = "left" if heading in left else "right"
        table.add_column(heading, justify=justify, no_wrap=heading not in wrapping)
    for row in rows:
        table.add_row(*(row[heading] for heading in shown))
    return table


def first_that_fits(console: Console, tables: Iterable[Table]) -> Table:
    """The first table that is not wider than the console; the last one if none fits."""
    unlimited = console.options.update(max_width=UNLIMITED)
    table = Table()
    for table in tables:
        if console.measure(table, options=unlimited).maximum <= console.width:
            break
    return table


def fitted(line: str, columns: int) -> str:
    """A line of at most so many columns, at least one; without its middle if it is longer."""
    if cell_len(line) <= columns:
        return line
    after = (columns - 1) // 2
    before = columns - 1 - after
    start = chop_cells(line, before)[0] if before else ""
    end = chop_cells(line[::-1], after)[0][::-1] if after else ""
    return f"{start}…{end}"
