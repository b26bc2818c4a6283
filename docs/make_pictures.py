"""Draws the pictures of the README: `python docs/make_pictures.py`, in less than a minute.

The live view is that of a real run of the default config, after two thirds of it.
"""

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from charrnn.commands.train import new_run, train
from charrnn.events import Evaluated, Event, RunEnded, RunStarted, Stepped
from charrnn.report.live_view import LiveView
from charrnn.report.plain_lines import PlainLines

PICTURES = Path(__file__).parent / "pictures"
COLUMNS, LINES = 80, 24
SHOWN_AT = 0.68  # of the run
FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


class Recorder:
    """A sink that keeps all events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keeps an event."""
        self.events.append(event)

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def live_view(events: list[Event]) -> str:
    """A screen with the live view, as SVG."""
    size = {"width": COLUMNS, "height": LINES, "force_terminal": True, "color_system": "truecolor"}
    view = LiveView(Console(file=io.StringIO(), **size))
    until = next(
        number
        for number, event in enumerate(events)
        if isinstance(event, Stepped) and event.used >= SHOWN_AT
    )
    for event in events[: until + 1]:
        view(event)
    screen = Console(file=io.StringIO(), record=True, **size)
    frame = view.frame()
    lines = len(screen.render_lines(frame, screen.options))
    view.close()
    above = PlainLines(screen)
    evaluations = [event for event in events[:until] if isinstance(event, Evaluated)]
    for event in evaluations[lines - LINES :]:
        above(event)
    screen.print(frame)
    picture = screen.export_svg(title="charrnn train")
    # no font from another site, which a page may not load
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    return re.sub(r"Fira Code(, monospace)?", FONTS, picture)


def main() -> None:
    """Draws all pictures."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        train(new_run(None, [], {}, f"{folder}/run"), [recorder])
    assert isinstance(recorder.events[0], RunStarted)
    assert isinstance(recorder.events[-1], RunEnded)
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "live.svg").write_text(live_view(recorder.events), encoding="utf-8")


if __name__ == "__main__":
    main()
