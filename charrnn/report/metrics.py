"""The log of a run, one JSON document per line."""

import contextlib
import json
from math import inf
from pathlib import Path

from charrnn.events import Event, RolledBack
from charrnn.log_lines import LogLines
from charrnn.system.escaping import harmless_json
from charrnn.system.files import detach
from charrnn.system.record_file import RecordFile

MAX_LINE_BYTES = 1 << 24  # the longest sample takes 6 million


class Metrics:
    """Appends what is logged of the events to a file.

    Lines of steps after `last_step` are removed first, since a resumed run repeats these steps;
    likewise after a rollback. Lines that cannot be written are kept and retried. A link in place of
    the log is replaced: what it leads to is not of this run.
    """

    def __init__(self, path: Path, last_step: int, every_steps: int) -> None:
        self._path = path
        self._line_of = LogLines(every_steps, begins=last_step == 0)
        detach(path)
        self._file = open(path, "ab+", buffering=0)  # noqa: SIM115 - closed by close()
        self._lines = RecordFile(self._file)
        self._cut(last_step or -1)  # a run that begins again logs its baselines again

    def __call__(self, event: Event) -> None:
        """Logs an event, if it is of a kind that is logged."""
        if isinstance(event, RolledBack):
            self._lines.keep_pending(lambda line: _step(line) <= event.step)
            self._cut(event.step)
        elif document := self._line_of(event):
            line = harmless_json(json.dumps(document, ensure_ascii=False))
            self._lines.append(f"{line}\n".encode())

    def flush(self) -> None:
        """Flushes the lines to disk, as far as there is space."""
        self._lines.flush()

    def close(self) -> None:
        """Writes pending lines, if possible, and closes the file."""
        self._lines.close()

    @property
    def unwritten(self) -> int:
        """The number of lines not yet written."""
        return self._lines.unwritten

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know when it is closed."""
        if not self.unwritten:
            return ()
        return (f"{self._path} lacks its last {self.unwritten} lines; is the disk full?",)

    def _cut(self, last_step: int) -> None:
        """Truncates the file after the last line of this step, and so drops incomplete lines."""
        position = end = 0
        with open(self._file.fileno(), "rb", closefd=False) as log:
            log.seek(0)
            begins = True  # whether the next piece begins a line
            while piece := log.readline(MAX_LINE_BYTES):
                position += len(piece)
                if begins and _step(piece) <= last_step:
                    end = position
                begins = piece.endswith(b"\n")
        self._lines.truncate(end)


def _step(line: bytes) -> float:
    """The step of a complete line; infinity if the line is incomplete or invalid."""
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        if line.endswith(b"\n"):
            return float(json.loads(line)["step"])
    return inf
