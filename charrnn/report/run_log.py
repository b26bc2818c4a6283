"""The sink that keeps the log of a run."""

from collections.abc import Iterable
from pathlib import Path

from charrnn.events import Event
from charrnn.report.memory_log import MemoryLog
from charrnn.report.metrics import Metrics


def make_log(
    path: Path | None, last_step: int, every_steps: int, past: Iterable[Event] = ()
) -> Metrics | MemoryLog:
    """The log in a file, or in memory if there is none.

    Args:
        path: The file.
        last_step: The steps that the run has made; later lines are of steps that it will repeat.
        every_steps: The number of steps between those that are logged.
        past: What was logged in memory before.

    Raises:
        OSError: The file cannot be written.
    """
    if path is None:
        return MemoryLog(last_step, every_steps, past)
    return Metrics(path, last_step, every_steps)
