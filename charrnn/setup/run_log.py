"""Reads the log of a run, which anyone may have written, in bounded memory."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from charrnn.errors import InputError
from charrnn.events import Baselines, Evaluated, LagProfile, Sampled, Stepped, Tested
from charrnn.results import RunLog
from charrnn.system.files import open_regular
from charrnn.wording import call, pluralize

MAX_SAMPLE_BYTES = 1 << 24  # the line of the longest sample takes 6 million
MAX_LINE_BYTES = 1 << 20  # of another event
MAX_FILE_BYTES = 1 << 30
MAX_KEPT_BYTES = 1 << 26  # of the lines of one kind; their events take several times as much
END_BYTES = 1 << 16  # read at each end of a log that is not read whole
MAX_KEPT = 100_000  # events of one kind
COUNT_LIMIT = 10**15  # every count is below this
NAN = float("nan")
E = TypeVar("E")
KINDS: dict[str, TypeAdapter[Any]] = {
    "baselines": TypeAdapter(Baselines),
    "step": TypeAdapter(Stepped),
    "evaluation": TypeAdapter(Evaluated),
    "sample": TypeAdapter(Sampled),
    "lag_profile": TypeAdapter(LagProfile),
    "test": TypeAdapter(Tested),
}
# what a log may lack, such as one of an earlier version
DEFAULTS: dict[str, dict[str, Any]] = {
    "step": {
        "epoch": NAN, "used": NAN, "gradient_norm": NAN, "gradient_norms": {}, "clipped": False,
        "clipped_share": NAN, "learning_rate": NAN, "rollbacks": 0, "characters": 0,
        "characters_per_second": NAN, "seconds": NAN,
    },
    "evaluation": {
        "seconds": NAN, "train_nats_per_character": NAN, "validation_nats_per_character": None,
        "best": False,
    },
    "lag_profile": {"layer": None, "rate": NAN, "half_life": None},
}  # fmt: skip


class _Kept:
    """The events of one kind, of which every second is dropped whenever they become too many."""

    def __init__(self) -> None:
        self._events: list[tuple[int, Any]] = []  # with the bytes of each
        self._seen = self._bytes = 0
        self._stride = 1
        self._last: Any = None

    def add(self, event: Any, size: int) -> None:
        self._last = event
        if self._seen % self._stride == 0:
            self._events.append((size, event))
            self._bytes += size
            while len(self._events) > MAX_KEPT or (
                self._bytes > MAX_KEPT_BYTES and len(self._events) > 1
            ):
                self._events = self._events[::2]
                self._stride *= 2
                self._bytes = sum(size for size, _ in self._events)
        self._seen += 1

    def all(self) -> tuple[Any, ...]:
        """The events that are kept, always with the last one."""
        events = [event for _, event in self._events]
        if events and events[-1] is not self._last:
            events.append(self._last)
        return tuple(events)

    @property
    def left_out(self) -> int:
        return self._seen - len(self.all())


def read_log(path: Path) -> RunLog:
    """Reads `metrics.jsonl`; lines that are no events are counted, and otherwise ignored.

    Events of kinds that this version does not know are ignored. Of very many events, some are left
    out, evenly; the last one is not.

    Args:
        path: The file.

    Raises:
        InputError: There is no such file, or it cannot be read.
    """
    kept = {kind: _Kept() for kind in KINDS}
    unreadable = 0
    try:
        with open_regular(path) as file:
            for line in _lines(file):
                try:
                    kind, event = parse_event(line)
                except ValueError:
                    unreadable += 1
                    continue
                if event is not None:
                    kept[kind].add(event, len(line))
            complete = file.tell() < MAX_FILE_BYTES
    except FileNotFoundError:
        raise InputError(
            f"{path.parent} has no log: there is no {path}.",
            f"see what is there: {call('inspect', str(path.parent))}",
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.",
            "the other files of the run can still be used, such as its checkpoints.",
        ) from None
    found = {kind: events.all() for kind, events in kept.items()}
    return RunLog(
        baselines=found["baselines"][-1] if found["baselines"] else None,
        steps=found["step"],
        evaluations=found["evaluation"],
        samples=found["sample"],
        lag_profiles=found["lag_profile"],
        test=found["test"][-1] if found["test"] else None,
        unreadable=unreadable,
        left_out=sum(kept[kind].left_out for kind in kept if kind not in ("baselines", "test")),
        complete=complete,
    )


class LogEnds(NamedTuple):
    """What the ends of a log say; None for what they lack."""

    baselines: Baselines | None
    step: Stepped | None
    test: Tested | None


def read_ends(path: Path) -> LogEnds:
    """The baselines at the beginning of a log, its last step, and a test after it.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular(path) as file:
        head = file.readline(END_BYTES)
        file.seek(max(os.fstat(file.fileno()).st_size - END_BYTES, 0))
        lines = file.read(END_BYTES).splitlines(keepends=True)
    baselines = _event_of(head, Baselines)
    test = None
    for line in reversed(lines):
        if step := _event_of(line, Stepped):
            return LogEnds(baselines, step, test)
        test = test or _event_of(line, Tested)
    return LogEnds(baselines, None, test)


def steps_per_epoch(last: Stepped | None) -> int | None:
    """From a step, whose epoch is a multiple of 1 / steps_per_epoch; None if it does not tell."""
    if not last or not 1e-9 < last.epoch < 1e12 or not last.step:
        return None
    return round(last.step / last.epoch)


def _event_of(line: bytes, kind: type[E]) -> E | None:
    """The event of a line if it is of this kind."""
    try:
        event = parse_event(line)[1]
    except ValueError:
        return None
    return event if isinstance(event, kind) else None


def notes_on(log: RunLog, path: Path) -> tuple[str, ...]:
    """What a reader of a log should know: lines that cannot be read, events that are left out."""
    notes = []
    if log.unreadable:
        notes.append(f"{pluralize(log.unreadable, 'line')} of {path} cannot be read.")
    if log.left_out:
        notes.append(
            f"{path} is long: {pluralize(log.left_out, 'event')} between the others are left out."
        )
    if not log.complete:
        notes.append(f"{path} is read up to {MAX_FILE_BYTES:,} bytes only.")
    return tuple(notes)


def parse_event(line: bytes) -> tuple[str, Any]:
    """The kind of a line of the log, and its event; None if its kind is not known.

    Raises:
        ValueError: It is no event.
    """
    if len(line) > MAX_LINE_BYTES and b'"sample"' not in line[:100]:
        raise ValueError("the line is too long")
    if not line.endswith(b"\n"):
        raise ValueError("the line is cut off")
    values = from_json(line)
    kind = values.get("event") if isinstance(values, dict) else None
    if not isinstance(kind, str):
        raise ValueError("the line names no event")
    if kind not in KINDS:
        return kind, None
    try:
        event = KINDS[kind].validate_python(DEFAULTS.get(kind, {}) | values)
    except ValidationError:
        raise ValueError("the line is no event") from None
    for value in vars(event).values():
        if type(value) is int and not 0 <= value < COUNT_LIMIT:
            raise ValueError(f"{value} is no count")
    return kind, event


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only its beginning."""
    size, begins = 0, True
    while size < MAX_FILE_BYTES and (piece := file.readline(MAX_SAMPLE_BYTES)):
        size += len(piece)
        if begins:
            yield piece
        begins = piece.endswith(b"\n")
