"""Where the progress of a run, or of a sweep, is shown."""

import logging
import sys
from collections.abc import Callable

from charrnn.events import Event, Sink
from charrnn.library.notes import LoggedNotes, note
from charrnn.results import RunLog
from charrnn.sweep_events import SweepEvent, SweepNoted, TrialEnded
from charrnn.system.notebook import in_notebook

Progress = bool | Callable[[Event], object] | None
SweepProgress = bool | Callable[[SweepEvent], object] | None
RAISED = "`progress` raised, and gets no more events."


def progress_sink(progress: Progress, logged: Callable[[], RunLog | None]) -> Sink:
    """The sink that an argument `progress` asks for.

    Args:
        progress: True for a live view, False for none; None for one in a notebook or a terminal.
            Or a function, which is called with each event.
        logged: Reads what a resumed run has logged before.
    """
    if progress is None:
        progress = in_notebook() or sys.stderr.isatty()
    if progress is False:
        return LoggedNotes()
    if progress is not True:
        return _Called(progress)
    if in_notebook():
        from charrnn.report.notebook import NotebookSink

        return NotebookSink(logged())
    from charrnn.report.console import make_console_sink

    return make_console_sink(logged, words=str)


def sweep_progress(progress: SweepProgress) -> Callable[[SweepEvent], None]:
    """What gets the events of a sweep, as an argument `progress` asks.

    Args:
        progress: True for lines on stderr, False for none; None for lines in a notebook or a
            terminal. Or a function, which is called with each event.
    """
    if progress is None:
        progress = in_notebook() or sys.stderr.isatty()
    if progress is True:
        from charrnn.report.sweep_lines import SweepLines

        return SweepLines(words=str)
    return _ToldOfSweep(progress or None)


class _ToldOfSweep:
    """Logs what goes wrong in a sweep, and calls a function of the user's until it raises."""

    def __init__(self, function: Callable[[SweepEvent], object] | None) -> None:
        self._function = function

    def __call__(self, event: SweepEvent) -> None:
        if isinstance(event, SweepNoted):
            note(event.note)
        elif isinstance(event, TrialEnded) and event.outcome == "failed":
            note(f"trial {event.number} failed: {event.failure}")
        if self._function is not None:
            try:
                self._function(event)
            except Exception:
                self._function = None
                logging.getLogger("charrnn").exception(RAISED)


class _Called:
    """A function or an object of the user's; if it raises, its traceback is logged."""

    def __init__(self, function: Callable[[Event], object]) -> None:
        self._function, self._notes = function, LoggedNotes()

    def __call__(self, event: Event) -> None:
        self._notes(event)
        try:
            self._function(event)
        except Exception:
            logging.getLogger("charrnn").exception(RAISED)
            raise

    def flush(self) -> None:
        getattr(self._function, "flush", bool)()

    def close(self) -> None:
        getattr(self._function, "close", bool)()
