"""Reads the log of a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from charrnn.errors import InputError
from charrnn.events import Baselines, Evaluated, LagProfile, Sampled, Stepped, Tested
from charrnn.results import RunLog

MAX_LINE_BYTES = 1 << 24  # the longest sample takes 6 million
KINDS: dict[str, TypeAdapter[Any]] = {
    "baselines": TypeAdapter(Baselines),
    "step": TypeAdapter(Stepped),
    "evaluation": TypeAdapter(Evaluated),
    "sample": TypeAdapter(Sampled),
    "lag_profile": TypeAdapter(LagProfile),
    "test": TypeAdapter(Tested),
}


def read_log(path: Path) -> RunLog:
    """Reads `metrics.jsonl`; lines that are no events are counted, and otherwise ignored.

    Args:
        path: The file.

    Raises:
        InputError: There is no such file, or it cannot be read.
    """
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    unreadable = 0
    try:
        for line in _lines(path):
            try:
                values = from_json(line)
                kind = values["event"]
                found[kind].append(KINDS[kind].validate_python({"layer": None} | values))
            except (ValueError, ValidationError, KeyError, TypeError):
                unreadable += 1
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "give the directory of a run."
        ) from None
    baselines, test = found["baselines"], found["test"]
    return RunLog(
        baselines=baselines[-1] if baselines else None,
        steps=tuple(found["step"]),
        evaluations=tuple(found["evaluation"]),
        samples=tuple(found["sample"]),
        lag_profiles=tuple(found["lag_profile"]),
        test=test[-1] if test else None,
        unreadable=unreadable,
    )


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file in bounded pieces; a longer one comes as pieces that are no JSON."""
    with open(path, "rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            yield line
