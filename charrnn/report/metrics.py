"""The log of a run for programs: one JSON document a line."""

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from charrnn.events import Evaluated, Event, LagProfile, RolledBack, Sampled, Saving, Stepped
from charrnn.files import write_atomically
from charrnn.terminal import harmless_json
from charrnn.training.evaluation import BITS_PER_NAT


class Metrics:
    """Appends steps, lag profiles, evaluations and samples to a file.

    Lines of steps after `last_step`, which a resumed run will take again, are removed first; so
    are those that a rolled back run takes again. What cannot be written waits until it can be.
    """

    def __init__(self, path: Path, last_step: int, every_steps: int) -> None:
        self._path, self._every = path, every_steps
        self._waiting = bytearray()
        self._file = _opened_after(path, last_step)

    def __call__(self, event: Event) -> None:
        """Writes the event, where it is one of those that are logged."""
        if isinstance(event, Stepped):
            if event.step != 1 and event.step % self._every:
                return
            self._write("step", event, bits_per_character=event.nats_per_character * BITS_PER_NAT)
        elif isinstance(event, Evaluated):
            nats = event.validation_nats_per_character
            bits = None if nats is None else nats * BITS_PER_NAT
            self._write("evaluation", event, validation_bits_per_character=bits)
        elif isinstance(event, LagProfile):
            self._write("lag_profile", event)
        elif isinstance(event, Sampled):
            self._write("sample", event)
        elif isinstance(event, RolledBack):
            self._roll_back(event.step)
        elif isinstance(event, Saving):
            self._write_waiting()
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())

    def close(self) -> int:
        """Nothing is written after this. Returns the number of lines that could not be."""
        self._write_waiting()
        self._file.close()
        return self._waiting.count(b"\n")

    def _write(
        self, kind: str, event: Stepped | Evaluated | LagProfile | Sampled, **more: float | None
    ) -> None:
        values = asdict(event) | more
        values.pop("evaluation_due", None)
        line = harmless_json(json.dumps({"event": kind} | values, ensure_ascii=False))
        self._waiting += f"{line}\n".encode("utf-8", "surrogatepass")
        self._write_waiting()

    def _write_waiting(self) -> None:
        with contextlib.suppress(OSError):  # a full disk may be emptied; the run goes on
            while self._waiting:
                del self._waiting[: self._file.write(self._waiting)]

    def _roll_back(self, step: int) -> None:
        self._waiting = bytearray().join(_lines_until(self._waiting.splitlines(True), step))
        with contextlib.suppress(OSError):
            file = _opened_after(self._path, step)
            self._file.close()
            self._file = file


def _opened_after(path: Path, last_step: int) -> BinaryIO:
    """The file, to be appended to, with the lines up to this step."""
    lines: list[bytes] = []
    if path.is_file():
        with open(path, "rb") as file:
            lines = _lines_until(file, last_step)
    write_atomically(path, b"".join(lines))
    return open(path, "ab", buffering=0)


def _lines_until(lines: Iterable[bytes | bytearray], last_step: int) -> list[bytes]:
    """The whole lines of an earlier part of the run; a kill may have left the last one torn."""
    kept = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            if json.loads(line)["step"] <= last_step and line.endswith(b"\n"):
                kept.append(bytes(line))
    return kept
