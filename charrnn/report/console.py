"""A run as a person sees it: a live view on a terminal, plain lines elsewhere."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from charrnn.events import Evaluated, Event, RunEnded, RunStarted, Sampled, Stepped
from charrnn.report.wording import (
    as_loss,
    duration,
    ending,
    introduction,
    step_line,
    validation_line,
)

SMOOTHING = 0.98
SECONDS_BETWEEN_LINES = 10.0


class PlainLines:
    """Lines for a log: every evaluation, and a step now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = 0.0
        self._started: RunStarted | None = None

    def __call__(self, event: Event) -> None:
        """Prints the event in a line or a few, or nothing."""
        if isinstance(event, Stepped):
            if event.seconds - self._told >= SECONDS_BETWEEN_LINES:
                self._told = event.seconds
                self._print(step_line(event))
        elif isinstance(event, Evaluated):
            self._print(validation_line(event))
        elif isinstance(event, RunStarted):
            self._started = event
            for line in introduction(event):
                self._print(line)
        elif isinstance(event, RunEnded) and self._started:
            for line in ending(self._started, event):
                self._print(line)

    def close(self) -> None:
        """Nothing to put away."""

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """One picture, drawn anew four times a second."""

    def __init__(self, console: Console) -> None:
        self._plain = PlainLines(console)
        self._step: Stepped | None = None
        self._evaluated: Evaluated | None = None
        self._sample = ""
        self._loss = 0.0
        self._weight = 0.0
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, transient=True
        )

    def __call__(self, event: Event) -> None:
        """Takes the event into the picture."""
        if isinstance(event, Stepped):
            self._step = event
            self._loss = SMOOTHING * self._loss + (1 - SMOOTHING) * event.loss
            self._weight = SMOOTHING * self._weight + (1 - SMOOTHING)
        elif isinstance(event, Evaluated):
            self._evaluated = event
            self._plain(event)  # stays above the picture
        elif isinstance(event, Sampled):
            self._sample = event.text
        elif isinstance(event, RunStarted):
            self._plain(event)
            self._live.start()
        elif isinstance(event, RunEnded):
            self._live.stop()
            self._plain(event)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        self._live.stop()

    def _render(self) -> RenderableType:
        step = self._step
        if step is None:
            return Text("first step …", style="dim")
        left = step.seconds * (1 - step.progress) / step.progress if step.progress else 0.0
        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column(ratio=1)
        bar.add_column(justify="right")
        bar.add_row(
            ProgressBar(total=1.0, completed=step.progress),
            Text(f"{step.progress:4.0%}  {duration(left)} left", style="bold"),
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
        if self._evaluated and self._evaluated.validation_nats is not None:
            rows.append(
                (
                    "validation",
                    f"{as_loss(self._evaluated.validation_nats)} at step {self._evaluated.step:,}",
                )
            )
        for name, value in rows:
            figures.add_row(name, value)
        parts: list[RenderableType] = [bar, figures]
        if self._sample:
            parts.append(Panel(Text(self._sample), title="sample", title_align="left", style="dim"))
        return Group(*parts)


def make_console_sink() -> PlainLines | LiveView:
    """The view that fits where standard error goes."""
    console = Console(stderr=True)
    return LiveView(console) if console.is_terminal else PlainLines(console)
