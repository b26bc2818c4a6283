"""A clock that never goes back, whatever the system's does."""

from collections.abc import Callable
from math import inf


class Clock:
    """The latest time that another clock has shown.

    A clock that was set back, as of a machine that slept or a process that moved, would make
    durations negative.
    """

    def __init__(self, source: Callable[[], float]) -> None:
        self._source, self._latest = source, -inf

    def __call__(self) -> float:
        """The time in seconds."""
        self._latest = max(self._latest, self._source())
        return self._latest
