"""The progress of a run as lines."""

import sys
from collections.abc import Callable

from rich.console import Console

from charrnn.events import (
    Baselines,
    Evaluated,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    Stepped,
    StopRequested,
)
from charrnn.report.event_lines import (
    baseline_line,
    comparison,
    ending,
    introduction,
    step_line,
    validation_line,
)
from charrnn.report.flags import as_flags
from charrnn.report.terminal import print_line
from charrnn.system.escaping import harmless_message, shortened
from charrnn.system.streams import discard_unwritable

SECONDS_BETWEEN_LINES = 10.0


class PlainLines:
    """Prints every evaluation, and a step about every ten seconds."""

    def __init__(self, console: Console, words: Callable[[str], str] = as_flags) -> None:
        self._console, self._words = console, words
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
            self._print_ending(event)

    def flush(self) -> None:
        """Does nothing: lines are written as they are printed."""

    def close(self) -> None:
        """Discards output that cannot be written, so that the program can exit cleanly."""
        discard_unwritable(sys.stderr)

    def _print_ending(self, event: RunEnded) -> None:
        for line in ending(self._best_step, event):
            self._print(line)
        compared = comparison(self._baselines, event)
        if compared:
            self._print("on the held-out text, per character:")
        for name, words in compared:
            self._print(f"  {name}{words}", 2 + len(name))
        if event.failure:
            self._print(f"warning: {event.failure}")

    def _print(self, line: str, hanging: int | None = None) -> None:
        print_line(self._console, harmless_message(self._words(shortened(line))), hanging=hanging)
