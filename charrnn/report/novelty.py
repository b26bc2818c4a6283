"""Prints how much of generated texts occurs in the training text."""

from collections.abc import Sequence

from rich.table import Table

from charrnn.report.inspection import shown
from charrnn.report.terminal import first_that_fits, print_line, simple_table, table_console
from charrnn.results import Copy, Items, Novelty, Overlap
from charrnn.system.escaping import harmless_message
from charrnn.wording import pluralize

MAX_COPY = 160  # characters of a copy that are shown
MAX_COPIES = 8  # copied items that are listed
Named = list[tuple[str, Overlap]]


def print_novelty(found: Novelty) -> None:
    """Prints the shares as a table, then the longest copies, and the items that are copies."""
    console = table_console()
    where = "the training text" if found.own else harmless_message(", ".join(found.text))
    print_line(console, f"% of passages that also occur in {where}, by length", style="bold")
    named = _named(found)
    tables = (
        _by_length(named, found.lengths),
        *(_by_text(named, found.lengths, left_out) for left_out in range(len(found.lengths))),
    )
    console.print(first_that_fits(console, tables))
    for name, overlap in named:
        print_line(console, f"{name}: {_longest(overlap.longest)}")
    for name, overlap in named:
        if overlap.items and found.item:
            print_line(console, f"{name}: {_items(overlap.items, found.item)}")


def _named(found: Novelty) -> Named:
    one = len(found.samples) == 1
    named = [
        ("sample" if one else f"temperature {overlap.temperature:g}", overlap)
        for overlap in found.samples
    ]
    return named + ([("held-out text", found.held_out)] if found.held_out else [])


def _by_length(named: Named, lengths: Sequence[int]) -> Table:
    rows = [
        [f"{length}", *(_share(overlap.shares[row]) for _, overlap in named)]
        for row, length in enumerate(lengths)
    ]
    rows.append(["longest copy", *(_length(overlap.longest) for _, overlap in named)])
    return _table(["characters", *(name for name, _ in named)], rows)


def _by_text(named: Named, lengths: Sequence[int], left_out: int) -> Table:
    """A row for each text, without the columns of the longest passages but one."""
    kept = [*range(len(lengths) - 1 - left_out), len(lengths) - 1]
    rows = [
        [name, *(_share(overlap.shares[n]) for n in kept), _length(overlap.longest)]
        for name, overlap in named
    ]
    return _table(["", *(f"{lengths[n]}" for n in kept), "longest"], rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = simple_table("")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _length(longest: Copy | None) -> str:
    return f"{longest.length:,}" if longest else "0"


def _longest(longest: Copy | None) -> str:
    if longest is None:
        return "no character occurs there"
    visible = "".join(map(shown, longest.text[:MAX_COPY])).replace("␣", " ")
    more = "…" if longest.length > MAX_COPY else ""
    return (
        f"longest copy {pluralize(longest.length, 'character')}, at line {longest.line:,}, "
        f"offset {longest.offset:,}: “{harmless_message(visible)}{more}”"
    )


def _items(items: Items, item: str) -> str:
    are = "is a copy" if len(items.copies) == 1 else "are copies"
    line = f"{len(items.copies):,} of {pluralize(items.count, item)} {are}"
    if items.repeated:
        line += f", {items.repeated:,} repeated"
    distinct = list(dict.fromkeys(items.copies))
    if distinct:
        listed = ", ".join(harmless_message(_shortened(copy)) for copy in distinct[:MAX_COPIES])
        line += f": {listed}" + (", …" if distinct[MAX_COPIES:] else "")
    return line


def _shortened(copy: str) -> str:
    return copy if len(copy) <= MAX_COPY else copy[:MAX_COPY] + "…"
