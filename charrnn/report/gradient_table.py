"""Prints a gradient check as tables."""

from itertools import groupby
from math import prod

from rich.console import RenderableType
from rich.text import Text

from charrnn.report.terminal import (
    first_that_fits,
    on_command_line,
    print_line,
    table_console,
    table_of,
)
from charrnn.results import ALL_PARAMETERS, CheckedProblem, Entry, GradientCheck
from charrnn.system.escaping import harmless_message
from charrnn.wording import layer_sizes, pluralize

LEFT = ("", "shape", "weights", "compared", "verdict")
# columns to leave out on a narrow terminal, tried in this order
OMITTED: tuple[tuple[str, ...], ...] = (
    (),
    ("compared", "weights"),
    ("compared", "weights", "worst at"),
    ("compared", "weights", "worst at", "shape"),
    ("compared", "weights", "worst at", "shape", "BPTT", "oracle"),
)
STYLES = {"passed": "green", "failed": "bold red", "undecidable": "yellow"}


def print_gradient_table(result: GradientCheck) -> None:
    """Prints a table per oracle with a row per parameter, then the verdict."""
    print_comparisons(result)
    print_line(table_console(), verdict(result))


def print_comparisons(result: GradientCheck) -> None:
    """Prints what was checked, and a table per oracle."""
    console = table_console()
    for line in _title(result.checked):
        print_line(console, harmless_message(line))
    for (oracle, along), entries in groupby(
        result.entries, key=lambda entry: (entry.oracle, entry.along_direction)
    ):
        rows = [_row(entry) for entry in entries]
        title = f"{oracle} along random directions" if along else oracle
        tables = (table_of(title, rows, LEFT, omitted) for omitted in OMITTED)
        console.print(first_that_fits(console, tables))
    for oracle, reason in result.not_run.items():
        option = "--entries N" if on_command_line() else "entries=N"
        print_line(console, f"{oracle} was not run: it {reason}; {option} runs it all the same.")


def _row(entry: Entry) -> dict[str, RenderableType]:
    worst, size = entry.worst_index, prod(entry.shape)
    values: dict[str, RenderableType] = {
        "error": _number(entry.relative_error, ".1e"),
        "worst at": "-" if worst is None else ", ".join(map(str, worst)),
        "BPTT": _number(entry.bptt_value, ".4e"),
        "oracle": _number(entry.oracle_value, ".4e"),
        "verdict": Text(entry.verdict, STYLES[entry.verdict]),
    }
    if entry.along_direction:
        del values["worst at"]
        return {"": entry.parameter, "weights": f"{size:,}"} | values
    return {
        "": entry.parameter,
        "shape": "×".join(map(str, entry.shape)),
        "compared": f"{entry.compared:,} of {size:,}",
    } | values


def _title(checked: CheckedProblem) -> list[str]:
    lines = [
        checked.model,
        f"{checked.activation}, {checked.reduction}, "
        f"{layer_sizes(checked.layers, checked.hidden_size)}, A = {checked.alphabet_size}, "
        f"T = {checked.time_steps}, B = {checked.batch_size}",
    ]
    details = []
    if checked.window is not None:
        details.append(f"training window {checked.window:,} of {checked.windows_per_epoch:,}")
        details.append(pluralize(checked.workers, "worker"))
    if checked.stride is not None:
        details.append(f"stride {checked.stride} after {checked.warm_up} steps without loss")
    if checked.memory == "recompute":
        details.append("states recomputed")
    if checked.dropout:
        details.append(f"dropout {checked.dropout:g} with a fixed mask")
    lines += [", ".join(details)] * bool(details)
    return [
        *lines,
        "errors are relative to the largest entry of each gradient; along a direction, to the "
        "typical derivative",
    ]


def verdict(result: GradientCheck) -> str:
    """A sentence on whether the gradients agree."""
    if result.passed:
        return "passed: BPTT computes the gradient of the loss."
    if not result.entries:
        return "nothing was compared."
    failed = dict.fromkeys(e.parameter for e in result.entries if e.verdict == "failed")
    if len(failed) > 1:
        failed.pop(ALL_PARAMETERS, None)
    if failed:
        return f"failed: BPTT differs by more than the tolerance in {', '.join(failed)}."
    hidden = ", ".join(result.unconfirmed)
    return f"undecidable: at this tolerance, rounding hides the gradient of {hidden}."


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
