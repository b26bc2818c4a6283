"""Notes for the user, which the logger `charrnn` gets."""

import logging
from collections.abc import Iterable

from charrnn.events import Event, Noted, RunEnded
from charrnn.system.escaping import harmless_message

_log = logging.getLogger("charrnn")


def note(text: str) -> None:
    """Logs a note as a warning, which Python shows on stderr unless logging is configured."""
    _log.warning("%s", harmless_message(text))


def note_all(notes: Iterable[str]) -> None:
    """Logs several notes."""
    for one in notes:
        note(one)


class LoggedNotes:
    """Logs what goes wrong in a run whose progress is not shown."""

    def __call__(self, event: Event) -> None:
        """Logs a note, and the failure of a run."""
        if isinstance(event, Noted):
            note(event.note)
        elif isinstance(event, RunEnded) and event.failure:
            note(event.failure)

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""
