"""A gradient check as a table."""

from itertools import groupby

from rich import box
from rich.table import Table

from charrnn.analysis.gradcheck import Entry, passed
from charrnn.report.terminal import table_console
from charrnn.system.escaping import harmless

STYLES = {"passed": "green", "failed": "bold red", "undecidable": "yellow"}


def print_gradient_table(title: str, entries: list[Entry]) -> None:
    """For each oracle a table with a row for each parameter, then the verdict, on stdout."""
    console = table_console()
    console.print(harmless(title), markup=False, soft_wrap=True)
    for oracle, rows in groupby(entries, key=lambda entry: entry.oracle):
        table = Table(
            "", "shape", "compared", title=oracle, title_justify="left", title_style="bold",
            box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
        )  # fmt: skip
        for heading in ("error", "worst at", "BPTT", "oracle"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for entry in rows:
            table.add_row(
                entry.parameter,
                "×".join(map(str, entry.shape)),
                f"{entry.compared:,}",
                _number(entry.relative_error, ".1e"),
                "-" if entry.worst_index is None else ", ".join(map(str, entry.worst_index)),
                _number(entry.bptt_value, ".4e"),
                _number(entry.oracle_value, ".4e"),
                f"[{STYLES[entry.verdict]}]{entry.verdict}[/]",
            )
        console.print(table)
    console.print(_verdict(entries), markup=False)


def _verdict(entries: list[Entry]) -> str:
    if passed(entries):
        return "passed: BPTT is the gradient of the loss."
    failed = dict.fromkeys(entry.parameter for entry in entries if entry.verdict == "failed")
    if failed:
        return f"failed: BPTT differs by more than the tolerance in {', '.join(failed)}."
    proved = {entry.parameter for entry in entries if entry.verdict == "passed"}
    unproved = dict.fromkeys(e.parameter for e in entries if e.parameter not in proved)
    return f"undecidable: the gradient of {', '.join(unproved)} is below what rounding shows."


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
