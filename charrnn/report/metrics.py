"""The log of a run for programs: one JSON document per line."""

import contextlib
import json
import os
from dataclasses import asdict
from math import inf
from pathlib import Path

from charrnn.events import Evaluated, Event, LagProfile, RolledBack, Sampled, Stepped
from charrnn.system.escaping import harmless_json
from charrnn.units import BITS_PER_NAT


class Metrics:
    """Appends steps, lag profiles, evaluations and samples to a file.

    Lines of steps that a resumed or rolled back run will take again are cut off first. A line that
    cannot be written waits until it can be.
    """

    def __init__(self, path: Path, last_step: int, every_steps: int) -> None:
        self._every = every_steps
        self._waiting: list[bytes] = []
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.unlink()  # not a log of this program
        self._file = open(path, "ab+", buffering=0)  # noqa: SIM115 - closed by close()
        self._cut(last_step)

    def __call__(self, event: Event) -> None:
        """Writes an event, if it is one of those that are logged."""
        if isinstance(event, Stepped):
            if event.step != 1 and event.step % self._every:
                return
            self._write("step", event, bits_per_character=event.nats_per_character * BITS_PER_NAT)
        elif isinstance(event, Evaluated):
            nats = event.validation_nats_per_character
            bits = None if nats is None else nats * BITS_PER_NAT
            self._write("evaluation", event, validation_bits_per_character=bits)
        elif isinstance(event, LagProfile):
            self._write("lag_profile", event, drop=() if event.layer else ("layer",))
        elif isinstance(event, Sampled):
            self._write("sample", event)
        elif isinstance(event, RolledBack):
            self._waiting = [line for line in self._waiting if _step(line) <= event.step]
            self._cut(event.step)

    def flush(self) -> None:
        """Forces the lines to the disk, as far as it has room."""
        self._write_waiting()
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Writes what is waiting, if it can, and closes the file."""
        if not self._file.closed:
            self._write_waiting()
            self._file.close()

    @property
    def unwritten(self) -> int:
        """The number of lines that could not be written so far."""
        return len(self._waiting)

    def _write(
        self,
        kind: str,
        event: Stepped | Evaluated | LagProfile | Sampled,
        *,
        drop: tuple[str, ...] = (),
        **more: float | None,
    ) -> None:
        values = asdict(event) | more
        values = {name: value for name, value in values.items() if name not in drop}
        line = harmless_json(json.dumps({"event": kind} | values, ensure_ascii=False))
        self._waiting.append(f"{line}\n".encode())
        self._write_waiting()

    def _write_waiting(self) -> None:
        """Writes complete lines, as far as the disk has room."""
        with contextlib.suppress(OSError):
            while self._waiting:
                size = os.fstat(self._file.fileno()).st_size
                if self._file.write(self._waiting[0]) < len(self._waiting[0]):
                    self._file.truncate(size)
                    return
                del self._waiting[0]

    def _cut(self, last_step: int) -> None:
        """Ends the file after the last line of this step; a killed run may leave half a line."""
        place = end = 0
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            lines.seek(0)
            for line in lines:
                place += len(line)
                if _step(line) <= last_step:
                    end = place
        self._file.truncate(end)


def _step(line: bytes) -> float:
    """The step of a complete line; infinity for any other."""
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        if line.endswith(b"\n"):
            return float(json.loads(line)["step"])
    return inf
