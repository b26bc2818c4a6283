"""The log of a run, one JSON document per line."""

import contextlib
import json
import os
from dataclasses import asdict
from math import inf
from pathlib import Path

from charrnn.events import (
    Baselines,
    Evaluated,
    Event,
    LagProfile,
    RolledBack,
    Sampled,
    Stepped,
    Tested,
)
from charrnn.system.escaping import harmless_json
from charrnn.system.files import detach
from charrnn.units import BITS_PER_NAT

MAX_LINE_BYTES = 1 << 24  # the longest sample takes 6 million
LOGGED = (Baselines, LagProfile, Evaluated, Sampled, Tested)


def is_logged(event: Event, every_steps: int) -> bool:
    """Whether a log has an event; of the steps, the first one and every so many."""
    if isinstance(event, Stepped):
        return event.step == 1 or event.step % every_steps == 0
    return isinstance(event, LOGGED)


class Metrics:
    """Appends the baselines, steps, lag profiles, evaluations and samples to a file.

    Lines of steps after `last_step` are removed first, since a resumed run repeats these steps;
    likewise after a rollback. Lines that cannot be written are kept and retried. A link in place of
    the log is replaced: what it leads to is not of this run.
    """

    def __init__(self, path: Path, last_step: int, every_steps: int) -> None:
        self._path, self._every, self._fresh = path, every_steps, last_step == 0
        self._pending: list[bytes] = []
        self._torn_at: int | None = None  # the end of the last whole line, if half of one follows
        detach(path)
        self._file = open(path, "ab+", buffering=0)  # noqa: SIM115 - closed by close()
        self._cut(last_step or -1)  # a run that begins again logs its baselines again

    def __call__(self, event: Event) -> None:
        """Logs an event, if it is of a kind that is logged."""
        if isinstance(event, Stepped) and is_logged(event, self._every):
            self._write("step", event, bits_per_character=event.nats_per_character * BITS_PER_NAT)
        elif isinstance(event, Evaluated):
            nats = event.validation_nats_per_character
            bits = None if nats is None else nats * BITS_PER_NAT
            self._write("evaluation", event, validation_bits_per_character=bits)
        elif isinstance(event, Baselines) and self._fresh:
            self._write("baselines", event, step=0)
        elif isinstance(event, LagProfile):
            self._write("lag_profile", event, drop=() if event.layer else ("layer",))
        elif isinstance(event, Sampled):
            self._write("sample", event)
        elif isinstance(event, Tested):
            self._write("test", event)
        elif isinstance(event, RolledBack):
            self._pending = [line for line in self._pending if _step(line) <= event.step]
            self._cut(event.step)

    def flush(self) -> None:
        """Flushes the lines to disk, as far as there is space."""
        self._write_pending()
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Writes pending lines, if possible, and closes the file."""
        if not self._file.closed:
            self._write_pending()
            self._file.close()

    @property
    def unwritten(self) -> int:
        """The number of lines not yet written."""
        return len(self._pending)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know when it is closed."""
        if not self._pending:
            return ()
        return (f"{self._path} lacks its last {self.unwritten} lines; is the disk full?",)

    def _write(
        self,
        kind: str,
        event: Baselines | Stepped | Evaluated | LagProfile | Sampled | Tested,
        *,
        drop: tuple[str, ...] = (),
        **more: float | None,
    ) -> None:
        values = asdict(event) | more
        values = {name: value for name, value in values.items() if name not in drop}
        line = harmless_json(json.dumps({"event": kind} | values, ensure_ascii=False))
        self._pending.append(f"{line}\n".encode())
        self._write_pending()

    def _write_pending(self) -> None:
        """Writes complete lines, as far as there is disk space."""
        with contextlib.suppress(OSError):
            while self._pending:
                self._drop_half_line()
                end = os.fstat(self._file.fileno()).st_size
                if self._file.write(self._pending[0]) < len(self._pending[0]):
                    self._torn_at = end
                    self._drop_half_line()
                    return
                del self._pending[0]

    def _drop_half_line(self) -> None:
        """Removes what a partial write left. Raises: OSError."""
        if self._torn_at is not None:
            self._file.truncate(self._torn_at)
            self._torn_at = None

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
        self._file.truncate(end)
        self._torn_at = None


def _step(line: bytes) -> float:
    """The step of a complete line; infinity if the line is incomplete or invalid."""
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        if line.endswith(b"\n"):
            return float(json.loads(line)["step"])
    return inf
