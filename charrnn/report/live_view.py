"""A live view of a run: progress, the trend of the loss, figures and the last sample."""

import contextlib
import sys

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from charrnn.events import (
    Baselines,
    Evaluated,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    Sampled,
    Stepped,
    StopRequested,
)
from charrnn.report.event_lines import duration
from charrnn.report.live_area import LiveArea
from charrnn.report.plain_lines import PlainLines
from charrnn.report.progress import Row, RunProgress, seconds_left
from charrnn.results import RunLog
from charrnn.system.escaping import harmless
from charrnn.system.streams import discard_unwritable

MIN_WIDTH = 24  # narrower, the view is cut
MAX_WIDTH = 80  # a wider view would leave more behind in the scrollback when a window shrinks
SPARE = 4  # columns at the right, by which a window may shrink between two frames
MIN_CHART, MAX_CHART = 6, 20  # lines
MIN_CHART_WIDTH = 40  # narrower, its labels are cut
CHART_SHARE = 0.6  # of the lines that the bar and the figures leave; the sample has the others
MIN_SAMPLE = 3  # lines
SAMPLE_AT_END = 9  # lines of the last sample, with its title, that remain at the end
TWO_COLUMNS, GAP = 70, 2  # the width from which figures stand in two columns, what is between them
MARGIN = "│ "  # of a sample


class LiveView:
    """A live view that is redrawn four times per second, below the evaluations."""

    def __init__(
        self, console: Console, past: RunLog | None = None, plain: PlainLines | None = None
    ) -> None:
        self._console = console
        self._plain = plain or PlainLines(console)
        self._progress = RunProgress(past)
        self._area = LiveArea(console, self.frame)

    def __call__(self, event: Event) -> None:
        """Shows an event in the view."""
        self._progress.add(event)
        if isinstance(event, Evaluated | Noted):
            self._plain(event)  # stays above the view
        elif isinstance(event, RunStarted | Baselines | StopRequested):
            self._plain(event)
            self._area.start()
        elif isinstance(event, RunEnded):
            self._end()
            self._plain(event)

    def flush(self) -> None:
        """Does nothing: the view has no pending output."""

    def close(self) -> None:
        """Removes the view, if the run was stopped, and keeps the last sample."""
        with contextlib.suppress(OSError):
            self._end()
        discard_unwritable(sys.stderr)

    def _end(self) -> None:
        self._area.stop()
        if sampled := self._progress.sampled:
            width = max(min(self._console.width, MAX_WIDTH), MIN_WIDTH)
            self._console.print(_sample(self._console, sampled, width, SAMPLE_AT_END))
        self._progress.sampled = None

    def frame(self) -> RenderableType:
        """The view, in a part of the terminal's height that leaves some lines above it."""
        step, sampled = self._progress.step, self._progress.sampled
        if step is None:
            return Text("first step …", style="dim")
        size = self._console.size
        width = max(min(size.width - SPARE, MAX_WIDTH), MIN_WIDTH)
        left = size.height - max(size.height // 6, 1) - 1
        figures = _figures(*self._progress.rows(step), width)[:left]
        left -= len(figures)
        chart = 0
        fits = left >= MIN_CHART + MIN_SAMPLE and width >= MIN_CHART_WIDTH
        if fits and not self._console.options.ascii_only:
            chart = min(max(round(CHART_SHARE * left), MIN_CHART), MAX_CHART)
        parts: list[RenderableType] = [_bar(step, width)]
        if chart and (drawn := self._progress.losses.chart(width, chart)):
            parts.append(drawn)
        parts += figures
        if sampled and left - chart >= MIN_SAMPLE:
            parts.append(_sample(self._console, sampled, width, left - chart))
        return Group(*parts)


def _bar(step: Stepped, width: int) -> Table:
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.width = width
    bar.add_column(ratio=1)
    bar.add_column(justify="right", no_wrap=True)
    drawn = ProgressBar(
        1.0, step.used, style="bright_black", complete_style="cyan", finished_style="cyan"
    )
    bar.add_row(drawn, Text(f"{step.used:4.0%}  {duration(seconds_left(step))} left", style="bold"))
    return bar


def _figures(left: list[Row], right: list[Row], width: int) -> list[Text]:
    """Lines of two figures side by side in a wide view, else of one."""
    lines = _column(left, width)
    widest = max((cell_len(line.plain) for line in lines), default=0)
    others = _column(right, width - widest - GAP)
    if width < TWO_COLUMNS or len(others) < len(right):
        return _column(left + right, width)
    lines += [Text()] * (len(others) - len(lines))
    for number, other in enumerate(others):
        gap = widest + GAP - cell_len(lines[number].plain)
        lines[number] = Text.assemble(lines[number], " " * gap, other)
    return lines


def _column(rows: list[Row], width: int) -> list[Text]:
    """Names and values: with details if they fit, without if not, else left out."""
    lines = []
    margin = max(len(name) for name, _, _ in rows) + 2
    for name, *values in rows:
        for value in values:
            if margin + len(value) <= width:
                lines.append(Text.assemble((f"{name:{margin}}", "dim"), value))
                break
    return lines


def _sample(console: Console, sampled: Sampled, width: int, height: int) -> Text:
    """A sample below its title; of more lines than fit, the first."""
    room, rows = width - len(MARGIN), height - 1
    # a long sample is cut before it is wrapped, which takes time
    text = Text(harmless(sampled.text)[: 2 * room * rows].strip("\n"))
    lines = [line.plain.rstrip() for line in text.wrap(console, room, tab_size=4)]
    shown = lines[:rows]
    if len(lines) > rows:
        last = shown[-1] if cell_len(shown[-1]) <= room - 2 else shown[-1].rpartition(" ")[0]
        shown[-1] = f"{last} …" if last else "…"
    title = Text(f"sample at step {sampled.step:,}", style="dim")
    return Text("\n").join([title, *(Text.assemble((MARGIN, "dim"), line) for line in shown)])
