"""Prints the inspection of a text or a checkpoint."""

import unicodedata
from collections.abc import Mapping, Sequence
from math import ceil, isfinite
from typing import Any

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from charrnn.report.event_lines import as_loss, duration, in_epochs
from charrnn.report.flags import as_flags
from charrnn.report.terminal import on_command_line, print_line, table_console
from charrnn.results import Alphabet, ModelReport, TextReport
from charrnn.system.escaping import harmless_message
from charrnn.wording import format_size, layer_sizes, pluralize

MAX_SHOWN = 120  # characters; --json lists all
DEFAULT_WIDTH = 80  # of the table of characters off a terminal
DIGEST_WIDTH = 75  # of the row that has it; a narrower terminal does without
GAP = 5  # terminal columns of spacing per entry of the character table


def print_text_report(report: TextReport) -> None:
    """Prints the sizes and characters of a text, and the cost of training on it."""
    trial, steps = report.trial, report.steps
    rate = trial.characters / trial.seconds_per_step
    held_out = f"{report.validation:,} held out"
    if report.scored < report.validation:
        held_out += f", of which the first {report.scored:,} are scored"
    run = f"{steps:,.0f} in total ({in_epochs(steps / report.steps_per_epoch)})"
    tried = f"{pluralize(trial.steps, 'trial step')} of {1000 * trial.seconds_per_step:.3g} ms"
    _print(
        _names(report.texts),
        {
            "text": f"{pluralize(report.characters, 'character')} in "
            f"{pluralize(report.lines, 'line')}, {report.encoding}, read as {report.sequences}",
            "split": f"{report.training:,} to train on, {held_out}",
            "network": f"{report.activation}, {layer_sizes(report.layers, report.hidden_size)}, "
            f"A = {len(report.alphabet.characters)}: {report.weights:,} weights, "
            f"{pluralize(report.workers, 'worker')}",
            **({"plan": [*map(as_flags, report.plan.lines())]} if report.plan else {}),
            "steps": f"{report.steps_per_epoch:,} per epoch; {run}",
            "time": f"about {duration(report.seconds)} at {rate:,.0f} characters/s, from {tried}",
            "memory": f"peak {format_size(trial.memory)} in reading and trial steps"
            + (
                f"; the machine has {format_size(trial.machine_memory)}"
                if isfinite(trial.machine_memory)
                else ""
            ),
        },
        report.alphabet,
    )


def print_model_report(report: ModelReport) -> None:
    """Prints the contents of a checkpoint and the state of its run's other checkpoints."""
    config, progress = report.config, report.progress
    model, training, data = config["model"], config["training"], config["data"]
    best = progress["best_validation_nats"]
    rows = {
        "file": f"{format_size(report.size)}, verified: digest and contents are consistent",
        "network": f"{model['activation']}, {layer_sizes(model['layers'], model['hidden_size'])}, "
        f"A = {len(report.alphabet.characters)}: {report.weights:,} weights, "
        f"{training['precision']}",
        "trained": f"{progress['step']:,} steps, {progress['characters']:,} characters, "
        f"{duration(progress['seconds'])}",
        "best": "not evaluated yet" if best is None else f"{as_loss(best)} on the held-out text",
        "optimizer": f"{config['optimizer']['name']}, learning rate "
        f"{config['optimizer']['learning_rate']:g}, {config['schedule']['name']}",
        "text": f"{_names(data['text']) or 'the bundled corpus'}: "
        f"{pluralize(report.text_size, 'character')}, read as {data['sequences']}",
        "SHA-256": report.text_digest,
    }
    if model["init_from"]:
        rows["started from"] = model["init_from"]
    if progress["rollbacks"]:
        rows["rolled back"] = pluralize(progress["rollbacks"], "time")
    _print(report.path, rows, report.alphabet, _parameters(report), *_others(report))


def _names(texts: Sequence[str]) -> str:
    return ", ".join("standard input" if text == "-" else text for text in texts)


def _print(
    title: str,
    rows: Mapping[str, str | list[str]],
    alphabet: Alphabet,
    *tables: RenderableType,
) -> None:
    console = table_console()
    print_line(console, harmless_message(title), style="bold")
    figures = Table.grid(padding=(0, 2))
    figures.add_column(style="dim", no_wrap=True)
    figures.add_column(overflow="fold")
    for name, value in rows.items():
        if name == "SHA-256" and console.width < DIGEST_WIDTH:
            continue
        lines = [value] if isinstance(value, str) else value
        figures.add_row(name, Text("\n".join(map(harmless_message, lines))))
    console.print(figures)
    width = console.width if console.is_terminal else DEFAULT_WIDTH
    for table in (*tables, _characters(alphabet, width)):
        console.print()
        console.print(table)
    if (left := len(alphabet.characters) - MAX_SHOWN) > 0:
        where = "; --json lists all" if on_command_line() else ""
        print_line(console, f"and {left:,} more{where}", style="dim")


def _characters(alphabet: Alphabet, width: int) -> Table:
    """The characters with their code points and counts, in column-major order."""
    cells = []
    for index, character in enumerate(alphabet.characters[:MAX_SHOWN]):
        count = "" if alphabet.counts is None else f"{alphabet.counts[index]:,}"
        cells.append((shown(character), f"U+{ord(character):04X}", count))
    widest = sum(max((cell_len(cell[part]) for cell in cells), default=0) for part in range(3))
    columns = max(width // (widest + GAP), 1)
    rows = ceil(len(cells) / columns)
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(min(columns, len(cells))):
        table.add_column(no_wrap=True)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column()
    for row in range(rows):
        table.add_row(*(Text(part) for cell in cells[row::rows] for part in (*cell, "")))
    return table


def shown(character: str) -> str:
    """A character made visible: control characters escaped, marks on a dotted circle."""
    if unicodedata.category(character).startswith("M"):
        return "\u25cc" + character
    visible = repr(character)[1:-1]
    return {"\\\\": "\\", " ": "␣"}.get(visible, visible)


def _parameters(report: ModelReport) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    for name, shape in report.shapes.items():
        table.add_row(name, "×".join(map(str, shape)), f"norm {report.norms[name]:.4g}")
    return table


def _others(report: ModelReport) -> list[RenderableType]:
    if not report.others:
        return []
    table = Table.grid(padding=(0, 2))
    for other in report.others:
        found: dict[str, Any] = vars(other)
        name = harmless_message(found["path"].rsplit("/", 1)[-1])
        if other.fault is not None:
            table.add_row(Text(name), Text(harmless_message(other.fault), style="bold red"))
            continue
        best = other.validation_nats_per_character
        loss = "" if best is None else f", best so far {best:.3f} nats"
        table.add_row(Text(name), Text(f"step {other.step:,}{loss}"))
    return [table]
