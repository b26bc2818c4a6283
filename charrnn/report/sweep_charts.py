"""Prints a sweep as charts in text: progress, importance, and the loss by setting."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from charrnn.arrays import Array
from charrnn.errors import UsageError
from charrnn.report.charts import Curve, line_chart
from charrnn.report.event_lines import figure
from charrnn.report.run_charts import chart_size
from charrnn.report.sweep_curves import (
    WHATS,
    Losses,
    What,
    best_so_far,
    complete,
    highest_shown,
    positions,
    pruned,
    with_setting,
)
from charrnn.report.sweep_labels import counts_line, short_names, value_label
from charrnn.report.sweep_tables import print_importance
from charrnn.report.terminal import print_line, table_console, table_of
from charrnn.results import SearchedSetting, SweepReport
from charrnn.system.escaping import harmless_message

CHARTS: tuple[What, ...] = ("progress", "importance")


def print_sweep_charts(
    report: SweepReport, whats: Sequence[What] = CHARTS, title: str | None = None
) -> None:
    """Prints a chart for each of `whats`.

    Args:
        report: The sweep.
        whats: What to show.
        title: A line above; by default it names the sweep and counts its trials.

    Raises:
        UsageError: `whats` has parallel coordinates, which need a file.
    """
    if "parallel" in whats:
        raise UsageError(
            "`what=parallel` needs more room than a terminal has.", "save it: `out=sweep.png`"
        )
    console = table_console()
    line = title or f"{report.name}: {counts_line(report)}"
    print_line(console, harmless_message(line), style="bold")
    if not report.best:
        return print_line(console, "No trial is complete yet.")
    for number, what in enumerate(one for one in WHATS if one in whats):
        if number:
            console.print()
        if what == "importance":
            print_importance(console, report)
        else:
            width, height = chart_size(console, several=len(whats) > 1 or what == "slice")
            progress = what == "progress"
            for chart in (
                [_progress(report, width, height)] if progress else _slices(report, width, height)
            ):
                console.print(chart, soft_wrap=progress, highlight=False)


def _progress(report: SweepReport, width: int, height: int) -> Text:
    losses, stopped = complete(report), pruned(report)
    x, best = best_so_far(losses)
    last = max(one.number for one in report.trials)
    line = Curve(f"best {figure(best[-1])}", *_steps(np.append(x, last), np.append(best, best[-1])))
    curves = [line, Curve("", x, losses.nats, dots=True)]
    if len(stopped.nats):
        curves.append(Curve("pruned", [t.number for t in stopped.trials], stopped.nats, dots=True))
    return line_chart(
        curves, width, height, title="loss of each trial, nats per character", x="trial",
        highest=highest_shown(report), whole_x=True, lettered=False,
    )  # fmt: skip


def _steps(x: Array, y: Array) -> tuple[Array, Array]:
    """The corners of a line that changes its height at the points only."""
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def _slices(report: SweepReport, width: int, height: int) -> Iterator[RenderableType]:
    """The loss by each setting: a chart of a range, a table of choices."""
    names = short_names(report.keys)
    for setting in report.settings:
        losses = with_setting(complete(report), setting.key)
        name, values = names[setting.key], [one.settings[setting.key] for one in losses.trials]
        if setting.choices:
            yield _choices(setting, name, losses, values)
        elif values:
            yield line_chart(
                [Curve("", positions(setting, values), losses.nats, dots=True)], width, height,
                title=f"loss by {name}, nats per character", highest=highest_shown(report),
                logarithmic_x=setting.log, whole_x=isinstance(setting.low, int), lettered=False,
            )  # fmt: skip


def _choices(
    setting: SearchedSetting, name: str, losses: Losses, values: Sequence[Any]
) -> RenderableType:
    rows: list[dict[str, RenderableType]] = []
    for choice in setting.ordered_choices:
        nats = losses.nats[np.array([value == choice for value in values], bool)]
        rows.append(
            {
                name: Text(value_label(choice)),
                "trials": f"{len(nats)}",
                "best": figure(nats.min()) if len(nats) else "",
                "median": figure(float(np.median(nats))) if len(nats) else "",
            }
        )
    return table_of(f"loss by {name}", rows, (name,))
