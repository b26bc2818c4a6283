"""Passes events to every sink, so that no sink can end a run."""

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
        """Closes every sink; if one cannot be closed, those still open get a note."""
        with self._lock:
            while self._sinks:
                sink = self._sinks.pop(0)
                try:
                    sink.close()
                except Exception as error:
                    self._report(sink, error)

    def _each(self, act: Callable[[Sink], None]) -> None:
        with self._lock:
            kept, failed = [], []
            for sink in self._sinks:
                try:
                    act(sink)
                except Exception as error:
                    failed.append((sink, error))
                else:
                    kept.append(sink)
            self._sinks = kept
            for sink, failure in failed:
                with contextlib.suppress(Exception):
                    sink.close()
                self._report(sink, failure)

    def _report(self, sink: Sink, error: Exception) -> None:
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        self(Noted(self._step, f"{type(sink).__name__} failed ({what}) and gets no more events."))
