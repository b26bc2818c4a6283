"""The progress of a run: a live view on a terminal, plain lines elsewhere."""

import contextlib
import sys

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.panel import Panel
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
from charrnn.report.event_lines import (
    as_loss,
    baseline_line,
    duration,
    ending,
    flow_line,
    introduction,
    step_line,
    validation_line,
)
from charrnn.report.flags import as_flags
from charrnn.report.terminal import PipeConsole, print_line
from charrnn.system.escaping import harmless, harmless_message, shortened
from charrnn.system.streams import discard_unwritable
from charrnn.system.threads import can_start_threads

SMOOTHING = 0.98
SECONDS_BETWEEN_LINES = 10.0


class PlainLines:
    """Prints every evaluation, and a step about every ten seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_at = 0.0
        self._baselines: Baselines | None = None
        self._best_step: int | None = None

    def __call__(self, event: Event) -> None:
        """Prints an event, if there is something to print."""
        if isinstance(event, Stepped):
            if event.seconds - self._printed_at >= SECONDS_BETWEEN_LINES:
                self._printed_at = event.seconds
                self._print(step_line(event))
        elif isinstance(event, Evaluated):
            self._printed_at = event.seconds
            if event.best:
                self._best_step = event.step
            self._print(validation_line(event))
        elif isinstance(event, RunStarted):
            for line in introduction(event):
                self._print(line)
        elif isinstance(event, Baselines):
            self._baselines = event
            self._print(baseline_line(event))
        elif isinstance(event, Noted):
            self._print(f"note: {event.note}")
        elif isinstance(event, StopRequested):
            self._print("stopping after this step; press Ctrl-C again to quit without saving")
        elif isinstance(event, RunEnded):
            for line in ending(self._baselines, self._best_step, event):
                self._print(line)
            if event.failure:
                self._print(f"warning: {event.failure}")

    def flush(self) -> None:
        """Does nothing: lines are written as they are printed."""

    def close(self) -> None:
        """Discards output that cannot be written, so that the program can exit cleanly."""
        discard_unwritable(sys.stderr)

    def _print(self, line: str) -> None:
        print_line(self._console, harmless_message(shortened(as_flags(line))))


class LiveView:
    """A live view that is redrawn four times per second."""

    def __init__(self, console: Console) -> None:
        self._plain = PlainLines(console)
        self._step: Stepped | None = None
        self._evaluated: Evaluated | None = None
        self._lags: LagProfile | None = None
        self._sample = ""
        self._loss = 0.0
        self._weight = 0.0
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, transient=True
        )

    def __call__(self, event: Event) -> None:
        """Shows an event in the view."""
        if isinstance(event, Stepped):
            self._loss = SMOOTHING * self._loss + (1 - SMOOTHING) * event.nats_per_character
            self._weight = SMOOTHING * self._weight + (1 - SMOOTHING)
            self._step = event  # set last: the refresh thread draws as soon as it is set
        elif isinstance(event, Evaluated):
            self._evaluated = event
            self._plain(event)  # stays above the view
        elif isinstance(event, Noted):
            self._plain(event)
        elif isinstance(event, LagProfile):
            self._lags = event
        elif isinstance(event, Sampled):
            self._sample = harmless(event.text)
        elif isinstance(event, RunStarted | Baselines | StopRequested):
            self._plain(event)
            self._live.start()
            self._live.console.show_cursor(True)  # Rich hides it; a killed run would not restore it
        elif isinstance(event, RunEnded):
            self._live.stop()
            self._plain(event)

    def flush(self) -> None:
        """Does nothing: the view has no pending output."""

    def close(self) -> None:
        """Removes the view and restores the terminal."""
        with contextlib.suppress(OSError):
            self._live.stop()
        discard_unwritable(sys.stderr)

    def _render(self) -> RenderableType:
        step = self._step
        if step is None:
            return Text("first step …", style="dim")
        left = step.seconds * (1 - step.used) / step.used if step.used else 0.0
        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column(ratio=1)
        bar.add_column(justify="right")
        bar.add_row(
            ProgressBar(total=1.0, completed=step.used),
            Text(f"{step.used:4.0%}  {duration(left)} left", style="bold"),
        )
        figures = Table.grid(padding=(0, 2))
        figures.add_column(style="dim", justify="right")
        figures.add_column()
        rows = [
            ("step", f"{step.step:,}   epoch {step.epoch:.2f}"),
            ("loss", as_loss(self._loss / self._weight)),
            ("gradient norm", f"{step.gradient_norm:.3f} before clipping"),
            ("clipped", f"{step.clipped_share:.1%} of steps"),
            ("learning rate", f"{step.learning_rate:.2e}"),
            ("speed", f"{step.characters_per_second:,.0f} characters/s"),
        ]
        evaluated = self._evaluated
        if evaluated and evaluated.validation_nats_per_character is not None:
            loss = as_loss(evaluated.validation_nats_per_character)
            rows.append(("validation", f"{loss} at step {evaluated.step:,}"))
        if self._lags:
            rows.append(("gradient flow", flow_line(self._lags.rate, self._lags.half_life)))
        for name, value in rows:
            figures.add_row(name, value)
        parts: list[RenderableType] = [bar, figures]
        if self._sample:
            parts.append(Panel(Text(self._sample), title="sample", title_align="left", style="dim"))
        # space for two echoed ^C: a line that wraps would leave part of the view behind
        return Constrain(Group(*parts), self._live.console.width - 5)


def make_console_sink() -> PlainLines | LiveView:
    """A live view, which needs a terminal and a thread; else plain lines."""
    console = PipeConsole(stderr=True, emoji=False)
    live = console.is_terminal and can_start_threads()
    return LiveView(console) if live else PlainLines(console)
