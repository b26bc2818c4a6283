"""The log of a run for programs: one JSON document a line."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from charrnn.events import Evaluated, Event, LagProfile, Sampled, Stepped
from charrnn.files import write_atomically
from charrnn.terminal import harmless_json
from charrnn.training.evaluation import BITS_PER_NAT


class Metrics:
    """Appends steps, lag profiles, evaluations and samples to a file.

    Lines of steps after `last_step`, which a resumed run will take again, are removed first.
    """

    def __init__(self, path: Path, last_step: int, every_steps: int) -> None:
        self._every = every_steps
        write_atomically(path, "".join(_lines_until(path, last_step)).encode())
        self._file: TextIO = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed by close()

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

    def close(self) -> None:
        """Nothing is written after this."""
        self._file.close()

    def _write(
        self, kind: str, event: Stepped | Evaluated | LagProfile | Sampled, **more: float | None
    ) -> None:
        values = asdict(event) | more
        values.pop("evaluation_due", None)
        line = json.dumps({"event": kind} | values, ensure_ascii=False)
        self._file.write(harmless_json(line) + "\n")
        self._file.flush()


def _lines_until(path: Path, last_step: int) -> list[str]:
    """The whole lines of an earlier part of the run; a kill may have left the last one torn."""
    if not path.is_file():
        return []
    kept = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                if json.loads(line)["step"] <= last_step and line.endswith("\n"):
                    kept.append(line)
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
    return kept
