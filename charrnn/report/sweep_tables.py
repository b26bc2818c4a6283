"""Prints a sweep: the best trials, what mattered, repeats with other seeds, and advice."""

import os
from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from charrnn.report.bars import bar
from charrnn.report.event_lines import duration, figure
from charrnn.report.flags import as_flags
from charrnn.report.sweep_labels import (
    counts_line,
    importance_meaning,
    range_label,
    share_label,
    short_names,
    value_label,
)
from charrnn.report.terminal import (
    first_that_fits,
    fitted,
    on_command_line,
    print_line,
    table_console,
    table_of,
)
from charrnn.results import SweepReport, SweepTrial, TrialState
from charrnn.system.escaping import harmless_message, shortened

MAX_ROWS = 10
MAX_RUNNING = 3
BAR, SHORT_BAR = 20, 8
LONGEST_VALUE, LONGEST_RANGE = 16, 40
LEAST_IMPORTANT = ("time", "run", "training")  # is left out first
Row = dict[str, RenderableType]


def print_sweep(report: SweepReport) -> None:
    """Prints the best trials, the importance of the settings, repeats, and advice."""
    console = table_console()
    name = harmless_message(report.name)
    print_line(console, f"{name}: {counts_line(report)}", style="bold")
    for trial in _running(report):
        print_line(console, trial, hanging=2)
    console.print()
    best = [report.trial(number) for number in report.best[:MAX_ROWS]]
    if best:
        console.print(first_that_fits(console, _tables_of_best(report, best)))
        if best[0].run:
            print_line(console, f"best: {harmless_message(best[0].run)}")
        console.print()
    else:
        print_line(console, "No trial is complete yet.")
    if report.top:
        print_importance(console, report)
        console.print()
    if report.repeated:
        console.print(first_that_fits(console, _tables_of_repeats(report)))
    for line in report.advice:
        shown = as_flags(line) if on_command_line() else line
        print_line(console, harmless_message(shortened(shown)))


def print_importance(console: Console, report: SweepReport) -> None:
    """Prints the importance of the settings, and what that means."""
    if report.top:
        console.print(first_that_fits(console, _tables_of_importance(report)))
        print_line(console, importance_meaning(report), hanging=0)
    else:
        print_line(console, "There are too few trials to tell the importance of settings.")


def _running(report: SweepReport) -> Iterator[str]:
    """What each running trial has come to; of many, the first."""
    running = [one for one in report.trials if one.state is TrialState.RUNNING]
    for trial in running[:MAX_RUNNING]:
        if trial.curve:
            evaluation, nats = trial.curve[-1]
            yield f"trial {trial.number} is running: {figure(nats)} at evaluation {evaluation}"


def _tables_of_best(report: SweepReport, best: Sequence[SweepTrial]) -> Iterator[Table]:
    """The best trials as rows, with fewer and fewer columns; then as columns, with fewer trials."""
    names = short_names(report.keys)
    title = "the best trials, by validation loss" if len(report.best) > MAX_ROWS else "trials"
    rows = [_row(trial, names) for trial in best]
    empty = {key for key in LEAST_IMPORTANT if not any(str(row[key]) for row in rows)}
    for count in range(len(LEAST_IMPORTANT) + 1):
        yield table_of(title, rows, names.values(), {*LEAST_IMPORTANT[:count], *empty})
    for count in range(len(best), 0, -1):
        turned: list[Row] = [
            {"trial": heading} | {f"{row['trial']}": row[heading] for row in rows[:count]}
            for heading in rows[0]
            if heading not in ("trial", "run", *empty)
        ]
        yield table_of(title, turned, ("trial",))


def _row(trial: SweepTrial, names: dict[str, str]) -> Row:
    row: Row = {"trial": f"{trial.number}"}
    for key, name in names.items():
        value = value_label(trial.settings[key]) if key in trial.settings else ""
        row[name] = Text(fitted(value, LONGEST_VALUE))
    return row | {
        "nats": "" if trial.value is None else figure(trial.value),
        "training": "" if trial.train is None else figure(trial.train),
        "time": "" if trial.seconds is None else duration(trial.seconds),
        "run": Text(fitted(harmless_message(os.path.basename(trial.run or "")), LONGEST_VALUE)),
    }


def _tables_of_importance(report: SweepReport) -> Iterator[Table]:
    names = short_names(report.keys)
    most = max(setting.importance or 0 for setting in report.settings) or 1
    best = report.trial(report.best[0]).settings if report.best else {}
    for omitted, width in (
        (("setting",), BAR), (("key",), BAR), (("key", "searched"), SHORT_BAR),
        (("key", "searched", ""), 0),
    ):  # fmt: skip
        rows: list[Row] = [
            {
                "key": Text(setting.key),
                "setting": names[setting.key],
                "importance": share_label(setting),
                "": Text(
                    bar((setting.importance or 0) / most, width),
                    "dim" if setting.by_chance else "cyan",
                ),
                "best": Text(fitted(value_label(best.get(setting.key, "")), LONGEST_VALUE)),
                "searched": Text(fitted(range_label(setting), LONGEST_RANGE)),
            }
            for setting in report.settings
        ]
        yield table_of("importance", rows, ("key", "setting", "", "searched"), omitted)


def _tables_of_repeats(report: SweepReport) -> Iterator[Table]:
    rows: list[Row] = [
        {
            "trial": f"{one.trial}",
            "seeds": f"{len(one.values)}",
            "mean": figure(one.mean),
            "spread": f"± {figure(one.spread)}",
            "each": ", ".join(map(figure, one.values)),
        }
        for one in report.repeated
    ]
    title = "with other seeds: mean and standard deviation"
    for omitted in ((), ("each",)):
        yield table_of(title, rows, ("each",), omitted)
