"""The progress of a run in a notebook: one display, which is updated in place."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from time import monotonic
from typing import Protocol

from charrnn.events import (
    Evaluated,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    StopRequested,
)
from charrnn.report.event_lines import duration, ending, introduction, step_line
from charrnn.report.html_charts import drawing, picture
from charrnn.report.html_texts import message, sample_text
from charrnn.report.page_curves import progress_figure
from charrnn.report.page_source import fragments, page_source
from charrnn.report.progress import RunProgress, seconds_left
from charrnn.results import RunLog
from charrnn.system.escaping import harmless_message

SECONDS_PER_UPDATE = 0.4
MAX_NOTES = 5


class Handle(Protocol):
    """A display that can be changed, as IPython gives it."""

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        """Replaces what it shows."""


def ipython_display(data: dict[str, str]) -> Handle:
    """Shows data below the cell that runs; only in a notebook."""
    handle: Handle = import_module("IPython.display").display(data, raw=True, display_id=True)
    return handle


class NotebookSink:
    """Shows a run below the cell that trains it, updated a few times per second.

    Only the last state remains in the file of the notebook.
    """

    def __init__(
        self,
        past: RunLog | None = None,
        display: Callable[[dict[str, str]], Handle] = ipython_display,
    ) -> None:
        """Shows nothing yet.

        Args:
            past: What a resumed run has logged before.
            display: Shows data by its media types.
        """
        self._display = display
        self._handle: Handle | None = None
        self._updated_at = 0.0
        self._progress = RunProgress(past)
        self._notes: list[str] = []
        self._best_step: int | None = None
        self._said: list[str] = []  # how it began or ended
        self._ended = False

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        self._keep(event)
        urgent = isinstance(event, RunStarted | StopRequested | RunEnded)
        if urgent or monotonic() - self._updated_at >= SECONDS_PER_UPDATE:
            self._update()

    def flush(self) -> None:
        """Does nothing: the display has no pending output that a file needs."""

    def close(self) -> None:
        """Shows the last state of a run that did not reach its end."""
        if self._handle and not self._ended:
            self._ended = True
            if step := self._progress.step:
                self._said = [f"stopped after step {step.step:,}"]
            self._update()

    def _keep(self, event: Event) -> None:
        self._progress.add(event)
        if isinstance(event, Evaluated):
            self._best_step = event.step if event.best else self._best_step
        elif isinstance(event, Noted):
            self._note(event.note)
        elif isinstance(event, StopRequested):
            self._note("stopping after this step")
        elif isinstance(event, RunStarted):
            self._said = introduction(replace(event, notes=()))
            for note in event.notes:
                self._note(note)
        elif isinstance(event, RunEnded):
            self._ended = True
            self._said = ending(self._best_step, event)
            if event.failure:
                self._note(f"warning: {event.failure}")

    def _note(self, note: str) -> None:
        self._notes = [*self._notes, note][-MAX_NOTES:]

    def _update(self) -> None:
        data = {"text/html": self._html(), "text/plain": self._plain()}
        if self._handle:
            self._handle.update(data, raw=True)
        else:
            self._handle = self._display(data)
        self._updated_at = monotonic()

    def _plain(self) -> str:
        """What a reader without HTML shows."""
        lines = [*self._said, step_line(step)] if (step := self._progress.step) else self._said
        return "\n".join(map(harmless_message, lines))

    def _html(self) -> str:
        parts = [message(line, "quiet") for line in self._said]
        if step := self._progress.step:
            words = f"{step.used:.0%}"
            if not self._ended:
                words += f", {duration(seconds_left(step))} left"
            progress, gradient = self._progress.rows(step)
            parts = [
                fragments().progress(round(100 * step.used, 1), words),
                fragments().facts([(name, value) for name, value, _ in progress + gradient]),
                *parts,
            ]
        parts += [message(note, "note") for note in self._notes]
        if shown := progress_figure(self._progress.losses):
            parts.append((picture if self._ended else drawing)(shown))
        if sampled := self._progress.sampled:
            parts.append(sample_text(f"sample at step {sampled.step:,}", sampled.text))
        return str(fragments().result(page_source("result.css"), parts))
