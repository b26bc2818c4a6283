"""Events to every sink, so that no sink can end a run."""

import contextlib
from collections.abc import Callable, Iterable
from threading import RLock

from charrnn.events import Event, Noted, Sink


class Emitter:
    """Passes events to sinks one at a time, also when several threads emit.

    A sink that raises is closed and dropped; the others get a note.
    """

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self._sinks = list(sinks)
        self._step = 0
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Passes an event to every sink."""
        self._step = getattr(event, "step", self._step)
        self._each(lambda sink: sink(event))

    def flush(self) -> None:
        """Asks every sink to make safe what it has received."""
        self._each(lambda sink: sink.flush())

    def close(self) -> None:
        """Closes every sink."""
        self._each(lambda sink: sink.close())
        self._sinks.clear()

    def _each(self, act: Callable[[Sink], None]) -> None:
        with self._lock:
            for sink in list(self._sinks):
                try:
                    act(sink)
                except Exception as error:
                    self._sinks.remove(sink)
                    with contextlib.suppress(Exception):
                        sink.close()
                    what = f"{type(error).__name__}: {error}".removesuffix(": ")
                    note = f"{type(sink).__name__} failed ({what}) and gets no more events."
                    self(Noted(self._step, note))
