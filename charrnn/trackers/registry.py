"""The trackers by name."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from charrnn.events import Sink
from charrnn.system.extras import import_extra
from charrnn.trackers.tensorboard import TensorBoard


class Tracker(NamedTuple):
    """A kind of tracker.

    Attributes:
        library: What it needs, which the extra of the tracker's name installs.
        make: Makes a sink from the run directory, the step from which the run goes on, the number
            of steps between those that are logged, and the config as text.
    """

    library: str
    make: Callable[[Path, int, int, str], Sink]


TRACKERS = {"tensorboard": Tracker("tensorboardX", TensorBoard)}


def require_trackers(names: Iterable[str]) -> None:
    """Raises UsageError if the library of a tracker is not installed."""
    for name in names:
        import_extra(TRACKERS[name].library, name, f"`logging.sinks={name}`")


def make_trackers(
    names: Iterable[str], run: Path, last_step: int, every_steps: int, config: str
) -> list[Sink]:
    """The trackers of these names for a run; see `Tracker`."""
    return [TRACKERS[name].make(run, last_step, every_steps, config) for name in names]
