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
    LagProfile,
    Noted,
    RunEnded,
    RunStarted,
    Sampled,
    Stepped,
    StopRequested,
)
from charrnn.report.event_lines import duration, figure, in_both_units
from charrnn.report.live_area import LiveArea
from charrnn.report.loss_curves import LossCurves
from charrnn.report.plain_lines import PlainLines
from charrnn.results import RunLog
from charrnn.system.escaping import harmless
from charrnn.system.streams import discard_unwritable

MAX_WIDTH = 80  # a wider view would leave more behind in the scrollback when a window shrinks
MIN_CHART, MAX_CHART = 6, 20  # lines
CHART_SHARE = 0.6  # of the lines that the bar and the figures leave; the sample has the others
MIN_SAMPLE = 3  # lines
SAMPLE_AT_END = 8  # lines of the last sample that are printed at the end
GAP = 3  # columns between two columns of figures

Row = tuple[str, str, str]  # a name and its value, with details and without


class LiveView:
    """A live view that is redrawn four times per second, below the evaluations."""

    def __init__(self, console: Console, past: RunLog | None = None) -> None:
        self._console = console
        self._plain = PlainLines(console)
        self._losses = LossCurves()
        self._step: Stepped | None = None
        self._evaluated: Evaluated | None = None
        self._lags: LagProfile | None = None
        self._sampled: Sampled | None = None
        self._area = LiveArea(console, self.frame)
        if past:
            for event in (*past.steps, *past.evaluations):
                self._losses.add(event)

    def __call__(self, event: Event) -> None:
        """Shows an event in the view."""
        self._losses.add(event)
        if isinstance(event, Stepped):
            self._step = event
        elif isinstance(event, Evaluated):
            self._evaluated = event
            self._plain(event)  # stays above the view
        elif isinstance(event, Noted):
            self._plain(event)
        elif isinstance(event, LagProfile):
            self._lags = event
        elif isinstance(event, Sampled):
            self._sampled = event
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
        if self._sampled:
            self._console.print(_sample(self._console, self._sampled, SAMPLE_AT_END))
        self._sampled = None

    def frame(self) -> RenderableType:
        """The view, in a part of the terminal's height that leaves some lines above it."""
        step, sampled = self._step, self._sampled
        if step is None:
            return Text("first step …", style="dim")
        size = self._console.size
        width = min(size.width - 1, MAX_WIDTH)
        left = size.height - max(size.height // 6, 1) - 1
        figures = _figures(self._rows(step), width)[: max(left, 0)]
        left -= len(figures)
        chart = 0
        if left >= MIN_CHART + MIN_SAMPLE and not self._console.options.ascii_only:
            chart = min(round(CHART_SHARE * left), MAX_CHART)
        parts: list[RenderableType] = [_bar(step, width)]
        if chart and (drawn := self._losses.chart(width, max(chart, MIN_CHART))):
            parts.append(drawn)
        parts += figures
        if sampled and left - chart >= MIN_SAMPLE:
            parts.append(_sample(self._console, sampled, left - chart, width))
        return Group(*parts)
