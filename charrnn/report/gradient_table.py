"""Prints a gradient check as tables."""

from itertools import groupby

from rich import box
from rich.table import Table

from charrnn.report.terminal import table_console
from charrnn.results import CheckedProblem, GradientCheck
from charrnn.system.escaping import harmless

STYLES = {"passed": "green", "failed": "bold red", "undecidable": "yellow"}


def print_gradient_table(result: GradientCheck) -> None:
    """Prints a table per oracle with a row per parameter, then the verdict."""
    console = table_console()
    console.print(harmless(_title(result.checked)), markup=False, soft_wrap=True)
    for oracle, rows in groupby(result.entries, key=lambda entry: entry.oracle):
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
    console.print(_verdict(result), markup=False)


def _title(checked: CheckedProblem) -> str:
    return (
        f"{checked.model}\n{checked.activation}, {checked.reduction}, H = {checked.hidden_size}, "
        f"A = {checked.alphabet_size}, T = {checked.time_steps}, B = {checked.batch_size}"
    )


def _verdict(result: GradientCheck) -> str:
    entries = result.entries
    if result.passed:
        return "passed: BPTT computes the gradient of the loss."
    failed = dict.fromkeys(entry.parameter for entry in entries if entry.verdict == "failed")
    if failed:
        return f"failed: BPTT differs by more than the tolerance in {', '.join(failed)}."
    confirmed = {entry.parameter for entry in entries if entry.verdict == "passed"}
    others = dict.fromkeys(e.parameter for e in entries if e.parameter not in confirmed)
    return f"undecidable: the gradient of {', '.join(others)} is below rounding error."


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
