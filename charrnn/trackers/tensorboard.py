"""Writes what is logged of a run for TensorBoard."""

import os
import platform
import struct
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from charrnn.events import Event, Histogram, RolledBack, RunStarted, WeightsMeasured
from charrnn.log_lines import LogLines
from charrnn.system.extras import import_extra
from charrnn.system.files import leads_out_of
from charrnn.system.record_file import RecordFile
from charrnn.wording import pluralize

FOLDER = "tensorboard"
VERSION = "brain.Event:2"  # of the format
NO_SCALARS = {"event", "step", "layer"}


class TensorBoard:
    """Writes an event file in the folder `tensorboard` of a run: a new one each time it is resumed.

    What was logged after the step from which a run goes on, resumed or rolled back, is declared
    void, as the format provides. Records that cannot be written are kept and retried.

    Args:
        run: The run directory.
        last_step: The step from which the run goes on.
        every_steps: Of training steps, only the first and every one of these is logged.
        config: The run's config, as text.
    """

    def __init__(self, run: Path, last_step: int, every_steps: int, config: str) -> None:
        self._run, self._last_step, self._config = run, last_step, config
        self._line_of = LogLines(every_steps, begins=last_step == 0)
        self._proto, self._summary, self._records = (
            import_extra(f"tensorboardX.{module}", "tensorboard", "the tracker tensorboard")
            for module in ("proto.event_pb2", "summary", "record_writer")
        )
        self._file: RecordFile | None = None

    def __call__(self, event: Event) -> None:
        """Writes what is logged of an event. Raises: OSError."""
        if isinstance(event, RunStarted):
            self._begin()
        elif isinstance(event, RolledBack):
            self._go_on_after(event.step)
        elif line := self._line_of(event):
            for tag, value in scalars_of(line):
                self._write(line["step"], self._summary.scalar(tag, value))
            if line["event"] == "sample":
                self._write(line["step"], self._summary.text("sample", _verbatim(line["text"])))
        if isinstance(event, WeightsMeasured):
            for name, histogram in event.histograms.items():
                self._write(event.step, self._histogram(f"weights/{name}", histogram))

    def flush(self) -> None:
        """Flushes the records to disk, as far as there is space."""
        if self._file:
            self._file.flush()

    def close(self) -> None:
        """Writes pending records and closes the file. Raises OSError if some cannot be written."""
        file, self._file = self._file, None
        if file:
            file.close()
            if file.unwritten:
                raise OSError(f"{pluralize(file.unwritten, 'record')} could not be written")

    def _begin(self) -> None:
        """Creates the file, and declares void what earlier ones have of the steps to come."""
        folder = self._run / FOLDER
        folder.mkdir(exist_ok=True)
        if leads_out_of(self._run, folder):
            raise OSError(0, "it is a link to another place", str(folder))
        path = folder / f"events.out.tfevents.{_number(folder):010d}.{platform.node()}"
        self._file = RecordFile(open(path, "xb+", buffering=0))  # noqa: SIM115 - closed by close()
        self._append(file_version=VERSION)
        self._go_on_after(self._last_step or -1)
        if not self._last_step:
            self._write(0, self._summary.text("config", _verbatim(self._config)))

    def _go_on_after(self, step: int) -> None:
        start = self._proto.SessionLog(status=self._proto.SessionLog.START)
        self._append(step=step + 1, session_log=start)

    def _write(self, step: int, summary: Any) -> None:
        self._append(step=step, summary=summary)

    def _append(self, **fields: Any) -> None:
        """Appends an event: its length, the event, and a checksum after each."""
        content = self._proto.Event(wall_time=time.time(), **fields).SerializeToString()
        length = struct.pack("<Q", len(content))
        checksum = self._records.masked_crc32c
        parts = [part + struct.pack("<I", checksum(part)) for part in (length, content)]
        if self._file:
            self._file.append(b"".join(parts))

    def _histogram(self, tag: str, histogram: Histogram) -> Any:
        edges, counts = histogram.edges, histogram.counts
        centres = [(low + high) / 2 for low, high in pairwise(edges)]
        return self._summary.histogram_raw(
            tag,
            min=edges[0],
            max=edges[-1],
            num=sum(counts),
            sum=sum(n * centre for n, centre in zip(counts, centres, strict=True)),
            sum_squares=sum(n * centre**2 for n, centre in zip(counts, centres, strict=True)),
            bucket_limits=edges,  # upper ones: the first has nothing below it
            bucket_counts=(0, *counts),
        )


def scalars_of(line: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of a document of the log, with names such as step/gradient_norms/W."""
    layer = line.get("layer")
    kind = line["event"] + (f"/layer-{layer}" if layer else "")
    for name, value in line.items():
        named = value if isinstance(value, dict) else {"": value}
        for part, number in named.items():
            if name not in NO_SCALARS and isinstance(number, int | float):
                yield "/".join(filter(None, (kind, name, part))), float(number)


def _verbatim(text: str) -> str:
    """A text that Markdown shows as it is: a block of code."""
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _number(folder: Path) -> int:
    """The number of a new file, in whose order they are read: the time, and above all others."""
    numbers = [name.split(".")[3] for name in os.listdir(folder) if name.count(".") > 3]
    return max([int(time.time()), *(int(n) + 1 for n in numbers if n.isdecimal())])
