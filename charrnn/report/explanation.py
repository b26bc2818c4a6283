"""Prints an explanation: formulas, tables, matrices and heat maps."""

from collections.abc import Sequence

import numpy as np
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from charrnn.arrays import Array
from charrnn.report.terminal import first_that_fits, print_line, table_console, table_of
from charrnn.results import Curves, Explanation, Matrix, Part, Statement, Table
from charrnn.system.escaping import WITHOUT_DIRECTIONS, harmless, harmless_message
from charrnn.wording import layer_sizes, pluralize

NUMBER = 10  # columns of the number of an equation
MAX_ROWS = 20  # of a table or matrix of numbers; of more, the first and the last
SHADES = ((1 / 2, "█"), (1 / 5, "▓"), (1 / 20, "▒"), (1 / 200, "░"))
SHADES_LEGEND = "█ ≥ 1/2 of the largest, ▓ ≥ 1/5, ▒ ≥ 1/20, ░ ≥ 1/200, · less"
DROPPED = "×"
VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"}) | WITHOUT_DIRECTIONS


def print_explanation(found: Explanation) -> None:
    """Prints a topic: what it is about, then its parts."""
    console = table_console()
    print_line(console, found.title, "bold")
    for line in description(found):
        print_line(console, line)
    for part in found.parts:
        if isinstance(part, Statement | Table) or part.shown != "picture":
            print_part(part)


def print_part(part: Part) -> None:
    """Prints a part of a topic: words, or numbers as a table or in shades."""
    console = table_console()
    if isinstance(part, Statement):
        _print_numbered(console, numbered(part.equation, part.text))
    elif isinstance(part, Table):
        _print_columns(console, numbered(part.equation, part.title), part.columns)
    elif isinstance(part, Curves):
        _print_curves(console, part)
    elif part.heat:
        _print_heat(console, part)
    else:
        _print_matrix(console, part)


def description(found: Explanation) -> list[str]:
    """The network and the text, a line each."""
    network = found.network
    sizes = layer_sizes(network.layers, network.hidden_size)
    layer = f", layer {network.layer} shown" if network.layers > 1 else ""
    return [
        f"{harmless_message(network.name)}: {network.activation}, {sizes}, "
        f"A = {network.alphabet_size}{layer}",
        f"text {visible(network.text)}: T = {len(network.text) - 1}",
    ]


def numbered(equation: str, words: str) -> str:
    """Words after the number of their equation."""
    return harmless(f"{equation:{NUMBER}} {words}" if equation else words)


def _print_numbered(console: Console, line: str, style: str | None = None) -> None:
    """Prints words after the number of their equation; what is wrapped is below the words."""
    print_line(console, line, style, hanging=NUMBER + 1 if line.startswith("(") else None)


def visible(text: str) -> str:
    """A text whose spaces and newlines can be seen."""
    return harmless(text.translate(VISIBLE))


def label(text: object) -> str:
    """A label; a character of the text, also one after a number, is made visible."""
    words = str(text)
    if len(words) == 1:
        return visible(words)
    return words[:-1] + visible(words[-1]) if words[:-1].strip().isdecimal() else harmless(words)


def _print_columns(
    console: Console, title: str, columns: dict[str, list[object]], form: str | None = None
) -> None:
    """A table; if it is too wide, in pieces that repeat the first column."""
    names = list(columns)
    count = len(columns[names[0]])
    chosen = _chosen(count)
    cells = {name: _cells([columns[name][row] for row in chosen], form) for name in names}
    left = {name for name in names if not any(isinstance(value, float) for value in columns[name])}
    _print_numbered(console, title, "bold")
    rest = names[1:]
    while rest:
        sizes = range(len(rest), 0, -1)
        tables = (_piece(cells, [names[0], *rest[:size]], left) for size in sizes)
        wrapped = _piece(cells, names[:1] + rest[:1], left, rest[:1])
        table = first_that_fits(console, [*tables, wrapped])
        console.print(table)
        rest = rest[len(table.columns) - 1 :]
    if len(chosen) < count:
        print_line(console, f"{pluralize(count - len(chosen), 'row')} between left out")


def _piece(
    cells: dict[str, list[RenderableType]],
    names: list[str],
    left: set[str],
    wrapping: Sequence[str] = (),
) -> RichTable:
    rows = [
        dict(zip(names, row, strict=True))
        for row in zip(*(cells[name] for name in names), strict=True)
    ]
    return table_of("", rows, left, wrapping=wrapping)


def _chosen(count: int) -> list[int]:
    """The rows to show: all, or the first and the last."""
    if count <= MAX_ROWS:
        return list(range(count))
    half = MAX_ROWS // 2
    return [*range(half), *range(count - half, count)]


def _cells(values: Sequence[object], form: str | None) -> list[RenderableType]:
    form = form or number_format(np.array([v for v in values if isinstance(v, float)]))
    return [
        _number(value, form) if isinstance(value, float) else Text(label(value)) for value in values
    ]


def _number(value: float, form: str) -> str:
    """A number in the format of its column; one that would be all zeros there by its magnitude."""
    if np.isnan(value):
        return "-"
    hidden = value and form.endswith("f") and not float(format(value, form))
    return format(value + 0.0, ".0e" if hidden else form)  # -0.0 + 0.0 is 0.0


def number_format(values: Array) -> str:
    """A format for the numbers of a column: with fixed digits unless some are tiny or huge."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if sizes.size and (sizes.max() >= 1e5 or sizes.max() < 1e-2):
        return ".1e"
    return ".3f" if not sizes.size or sizes.max() < 100 else ".1f"


def _print_matrix(console: Console, matrix: Matrix) -> None:
    columns: dict[str, list[object]] = {"": list(matrix.rows)}
    for name, entries in zip(matrix.columns, matrix.values.T.tolist(), strict=True):
        columns[label(name)] = entries
    title = numbered(matrix.equation, matrix.title)
    if matrix.row_title:
        title += f" (rows: {matrix.row_title}; columns: {matrix.column_title})"
    _print_columns(console, title, columns, number_format(matrix.values))


def _print_curves(console: Console, curves: Curves) -> None:
    chosen = np.unique(np.linspace(0, len(curves.x) - 1, 10).round().astype(int))
    columns: dict[str, list[object]] = {curves.x_title: curves.x[chosen].tolist()}
    for name, line in curves.lines.items():
        columns[name] = line[chosen].tolist()
    _print_columns(console, numbered(curves.equation, curves.title), columns)


def _print_heat(console: Console, matrix: Matrix) -> None:
    """A shade for each entry, of the newest rows and columns if not all of them fit."""
    values = matrix.values
    margin = max(len(row) for row in matrix.rows) + 1
    fitting = max(console.width - margin - 1, 8)
    wide = 2 * len(matrix.columns) <= fitting
    first = max(len(matrix.columns) - fitting, 0) if not wide else 0
    largest = float(np.nanmax(values, initial=0.0)) or 1.0
    _print_numbered(console, numbered(matrix.equation, matrix.title), "bold")
    heads = "".join(f"{visible(name[-1])}{' ' * wide}" for name in matrix.columns[first:])
    console.print(Text(" " * margin + heads))
    for number, name in list(enumerate(matrix.rows))[first:]:
        line = Text(f"{label(name):>{margin - 1}} ")
        for column in range(first, len(matrix.columns)):
            line.append(_shade(matrix, number, column, largest) * (1 + wide))
        line.rstrip()
        console.print(line)
    if first:
        print_line(console, f"the first {pluralize(first, 'step')} left out")
    legend = SHADES_LEGEND
    if matrix.kept is not None:
        legend += f"; {DROPPED} left out by truncation"
    print_line(console, f"rows: {matrix.row_title}; columns: {matrix.column_title}; {legend}")


def _shade(matrix: Matrix, row: int, column: int, largest: float) -> str:
    value = matrix.values[row, column]
    if np.isnan(value):
        return " "
    if matrix.kept is not None and not matrix.kept[row, column]:
        return DROPPED
    return next((shade for least, shade in SHADES if value >= least * largest), "·")
