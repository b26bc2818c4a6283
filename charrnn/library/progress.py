"""Where the progress of a run is shown."""

import logging
import sys
from collections.abc import Callable

from charrnn.events import Event, Sink
from charrnn.library.notes import LoggedNotes
from charrnn.results import RunLog
from charrnn.system.notebook import in_notebook

Progress = bool | Callable[[Event], object] | None


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


class _Called:
    """A function or an object of the user's; if it raises, its traceback is logged."""

    def __init__(self, function: Callable[[Event], object]) -> None:
        self._function, self._notes = function, LoggedNotes()

    def __call__(self, event: Event) -> None:
        self._notes(event)
        try:
            self._function(event)
        except Exception:
            logging.getLogger("charrnn").exception("`progress` raised, and gets no more events.")
            raise

    def flush(self) -> None:
        getattr(self._function, "flush", bool)()

    def close(self) -> None:
        getattr(self._function, "close", bool)()
