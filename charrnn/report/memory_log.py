"""The log of a run that is kept in memory."""

from collections.abc import Iterable

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
from charrnn.report.metrics import is_logged
from charrnn.results import RunLog


class MemoryLog:
    """Keeps the events that a file would have.

    Attributes:
        events: Those events, in the order in which they happened.
        notes: None: nothing can be missing.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, every_steps: int, past: Iterable[Event] = ()) -> None:
        self._every_steps = every_steps
        self.events = [*past]
        self._fresh = not self.events

    def __call__(self, event: Event) -> None:
        """Keeps an event, if it is of a kind that is logged."""
        if isinstance(event, RolledBack):
            self.events = [one for one in self.events if getattr(one, "step", 0) <= event.step]
        elif isinstance(event, Baselines) and not self._fresh:
            return  # of a run that is resumed, which has logged them
        elif is_logged(event, self._every_steps):
            self.events.append(event)

    def flush(self) -> None:
        """Does nothing: there is no file."""

    def close(self) -> None:
        """Does nothing: it can still be read."""

    @property
    def log(self) -> RunLog:
        """The events by their kinds."""
        baselines = [event for event in self.events if isinstance(event, Baselines)]
        tests = [event for event in self.events if isinstance(event, Tested)]
        return RunLog(
            baselines=baselines[-1] if baselines else None,
            steps=tuple(event for event in self.events if isinstance(event, Stepped)),
            evaluations=tuple(event for event in self.events if isinstance(event, Evaluated)),
            samples=tuple(event for event in self.events if isinstance(event, Sampled)),
            lag_profiles=tuple(event for event in self.events if isinstance(event, LagProfile)),
            test=tests[-1] if tests else None,
            unreadable=0,
        )
