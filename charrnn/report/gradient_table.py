"""A gradient check as a table."""

from rich.console import Console
from rich.table import Table

from charrnn.analysis.gradcheck import Entry, passed

STYLES = {"passed": "green", "failed": "bold red", "undecidable": "yellow"}


def print_gradient_table(title: str, entries: list[Entry]) -> None:
    """A row for each oracle and parameter, and the verdict, on standard output."""
    console = Console()
    table = Table(title=title, title_justify="left")
    for heading in ("oracle", "parameter", "shape", "compared"):
        table.add_column(heading, no_wrap=True)
    for heading in ("relative error", "worst at", "BPTT", "oracle"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for entry in entries:
        table.add_row(
            entry.oracle,
            entry.parameter,
            "×".join(map(str, entry.shape)),
            f"{entry.compared:,}",
            _number(entry.relative_error, ".1e"),
            "-" if entry.worst_index is None else ",".join(map(str, entry.worst_index)),
            _number(entry.bptt_value, ".6e"),
            _number(entry.oracle_value, ".6e"),
            f"[{STYLES[entry.verdict]}]{entry.verdict}[/]",
        )
    console.print(table)
    console.print(_verdict(entries), markup=False, highlight=False)


def _verdict(entries: list[Entry]) -> str:
    if passed(entries):
        return "passed: BPTT is the gradient of the loss."
    failed = dict.fromkeys(entry.parameter for entry in entries if entry.verdict == "failed")
    if failed:
        return f"failed: BPTT is wrong in {', '.join(failed)}."
    proved = {entry.parameter for entry in entries if entry.verdict == "passed"}
    open_ = dict.fromkeys(e.parameter for e in entries if e.parameter not in proved)
    return f"undecidable: the gradient of {', '.join(open_)} is below what rounding lets be seen."


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
