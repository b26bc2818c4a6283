"""What a process that takes part in a sweep is told; it can be sent to another process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from charrnn.events import Sink
from charrnn.runs.start import Run
from charrnn.sweep_events import SweepEvent
from charrnn.sweeps.study import Plan
from charrnn.text.sources import String

Sinks = Callable[[Run], list[Sink]]
Emit = Callable[[SweepEvent], None]


def do_nothing() -> None:
    """Prepares nothing."""


@dataclass(frozen=True)
class Assignment:
    """What a process works on.

    Attributes:
        study: The name of the study.
        storage: Where it is stored; None for a journal in its folder.
        folder: Where the runs go.
        plan: What the sweep does.
        sinks: Makes the sinks of a run.
        jobs: The number of processes that share the cores of this machine.
        prepare: Called first in a process that is started for it.
        string: The text, in place of the config's.
    """

    study: str
    storage: str | None
    folder: Path
    plan: Plan
    sinks: Sinks
    jobs: int = 1
    prepare: Callable[[], None] = do_nothing
    string: String | None = None
