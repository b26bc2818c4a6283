"""The progress of a sweep as lines."""

from collections.abc import Callable

from charrnn.report.event_lines import duration, figure
from charrnn.report.flags import as_flags
from charrnn.report.sweep_labels import settings_label
from charrnn.report.terminal import PipeConsole, print_line
from charrnn.sweep_events import SweepEvent, SweepNoted, TrialEnded, TrialStarted
from charrnn.system.escaping import harmless_message, shortened


class SweepLines:
    """Prints a line when a trial starts, and one when it is over; `words` renders settings."""

    def __init__(self, words: Callable[[str], str] = as_flags) -> None:
        self._words = words
        self._console = PipeConsole(stderr=True, emoji=False)

    def __call__(self, event: SweepEvent) -> None:
        """Prints an event."""
        if isinstance(event, SweepNoted):
            line = f"note: {event.note}"
        else:
            line = _start(event) if isinstance(event, TrialStarted) else _end(event)
        print_line(self._console, harmless_message(self._words(shortened(line))))


def _start(event: TrialStarted) -> str:
    tried = settings_label(event.settings)
    if event.repeats is not None:
        tried = f"trial {event.repeats} again, with seed {event.seed}"
    return f"trial {event.number}: {tried}{', resumed' * event.resumed}"


def _end(event: TrialEnded) -> str:
    line = f"trial {event.number}: {_result(event)}"
    if event.best:
        number, loss = event.best
        line += f"  best: {'this' if number == event.number else f'trial {number}'}"
        line += "" if number == event.number else f", {figure(loss)}"
    return f"{line}  {event.ended} of {event.trials} done"


def _result(event: TrialEnded) -> str:
    if event.outcome == "interrupted":
        return "saved, to go on later"
    loss = "" if event.validation is None else f"{figure(event.validation)} nats "
    result = f"{loss}in {duration(event.seconds)}"
    if event.outcome != "complete":
        result = f"{event.outcome}, {result}" if loss else event.outcome
    if event.failure is None:
        return result
    short = event.failure.partition(": ")[0]  # the rest says what to change in a single run
    return f"{result} ({event.failure if event.outcome == 'failed' else short})"
