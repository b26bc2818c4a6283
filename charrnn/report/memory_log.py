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
from charrnn.log_lines import LogLines
from charrnn.results import RunLog


class MemoryLog:
    """Keeps the events that a file would have, and drops those of steps that are made again.

    Attributes:
        events: Those events, in the order in which they happened.
        notes: None: nothing can be missing.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, last_step: int, every_steps: int, past: Iterable[Event] = ()) -> None:
        self.events = [*past]
        self._line_of = LogLines(every_steps, begins=last_step == 0)
        self._cut(last_step or -1)  # a run that begins again logs its baselines again

    def __call__(self, event: Event) -> None:
        """Keeps an event, if it is of a kind that is logged."""
        if isinstance(event, RolledBack):
            self._cut(event.step)
        elif self._line_of(event):
            self.events.append(event)

    def _cut(self, last_step: int) -> None:
        self.events = [one for one in self.events if getattr(one, "step", 0) <= last_step]

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
