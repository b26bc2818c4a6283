"""Prints the runs of a folder as a table."""

import os
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from charrnn.report.event_lines import duration, figure
from charrnn.report.terminal import first_that_fits, fitted, print_line, table_console, table_of
from charrnn.results import RunList, RunState, RunSummary
from charrnn.system.escaping import harmless_message, shortened
from charrnn.wording import activation_name, pluralize

LEFT = ("name", "text", "network", "state")
LEAST_IMPORTANT = (
    "seed",
    "text",
    "bits",
    "time",
    "network",
    "steps",
    "difference",
)  # is left out first
MIN_NAME, LONGEST_TEXT = 12, 24
MAX_NAME = 0.4  # of the width
STYLES = {
    RunState.COMPLETE: "green",
    RunState.RUNNING: "cyan",
    RunState.STOPPED: "yellow",
    RunState.DIVERGED: "red",
    RunState.DAMAGED: "red",
}


def print_runs(found: RunList) -> None:
    """Prints a row for each run, then what is wrong with the damaged ones."""
    console = table_console()
    rows = [_row(run, max(int(console.width * MAX_NAME), MIN_NAME)) for run in found.runs]
    omitted = (LEAST_IMPORTANT[:count] for count in range(len(LEAST_IMPORTANT) + 1))
    title = f"{harmless_message(found.directory)}: {pluralize(len(found.runs), 'run')}"
    print_line(console, title, style="bold")
    console.print(first_that_fits(console, (table_of("", rows, LEFT, out) for out in omitted)))
    for run in found.runs:
        if run.fault:
            print_line(console, harmless_message(shortened(f"{run.name}: {run.fault}")))
        if run.diverged_at is not None:
            line = f"{run.name} diverged at step {run.diverged_at:,}; see its divergence-* folder."
            print_line(console, harmless_message(shortened(line)))


def text_name(texts: Sequence[str]) -> str:
    """A short name of the texts of a run: those of its files."""
    if not texts:
        return "bundled"
    first = "stdin" if texts[0] == "-" else os.path.basename(os.path.normpath(texts[0]))
    return f"{first} + {len(texts) - 1}" if len(texts) > 1 else first


def network_name(run: RunSummary) -> str:
    """A network as tanh 384, or 2 × tanh 256."""
    if run.layers is None or run.activation is None:
        return ""
    name = f"{activation_name(run.activation)} {run.hidden_size}"
    return f"{run.layers} × {name}" if run.layers > 1 else name


def steps_of(run: RunSummary) -> str:
    """The steps of a run: of how many, if it has not made all."""
    if run.step is None:
        return ""
    all_made = run.steps is None or run.step == run.steps
    return f"{run.step:,}" if all_made else f"{run.step:,} of {run.steps:,}"


def _row(run: RunSummary, longest_name: int) -> dict[str, RenderableType]:
    nats, bits = run.validation_nats_per_character, run.validation_bits_per_character
    difference = run.difference_nats_per_character
    return {
        "name": Text(fitted(harmless_message(run.name), longest_name)),
        "text": Text(
            fitted(harmless_message(text_name(run.texts)), LONGEST_TEXT) if run.activation else ""
        ),
        "network": network_name(run),
        "seed": "" if run.seed is None else f"{run.seed}",
        "steps": steps_of(run),
        "nats": "" if nats is None else figure(nats),
        "bits": "" if bits is None else figure(bits),
        "difference": "" if difference is None else signed(difference),
        "time": "" if run.seconds is None else duration(run.seconds),
        "state": Text(run.state.value, STYLES[run.state]),
    }


def signed(difference: float) -> str:
    """A difference of losses with its sign."""
    written = figure(abs(difference))
    if difference == 0:
        return written
    return f"+{written}" if difference > 0 else f"-{written}"
