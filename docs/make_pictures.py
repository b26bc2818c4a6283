"""Draws the pictures of the README and docs: `python docs/make_pictures.py`, in under two minutes.

All are of one run of the default config; the live view is that after two thirds of it. The picture
of the report needs Chromium.
"""

import io
import re
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console

from charrnn.cli.main import run as charrnn
from charrnn.commands.train import new_run, train
from charrnn.events import Evaluated, Event, RunEnded, RunStarted, Stepped
from charrnn.report.live_view import LiveView
from charrnn.report.metrics import Metrics
from charrnn.report.plain_lines import PlainLines

PICTURES = Path(__file__).parent / "pictures"
COLUMNS, LINES = 80, 24
SHOWN_AT = 0.68  # of the run
PASSAGE = "The keeper went up with a lamp"
TITLE = "Where the gradient comes from"
PAGE = (900, 1150)  # pixels of the picture of a report
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


def draw(*arguments: str) -> None:
    """Runs a command that writes a file."""
    assert charrnn([*arguments]) == 0, arguments


def photograph(page: str, picture: Path) -> None:
    """Saves the beginning of a page as PNG."""
    size = "--window-size={},{}".format(*PAGE)
    options = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", size]
    waited = "--virtual-time-budget=3000"  # milliseconds for its script
    command = ["chromium", *options, waited, f"--screenshot={picture}", f"file://{page}"]
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    """Draws all pictures."""
    recorder = Recorder()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run, page = f"{folder}/farrow-quay", f"{folder}/report.html"
        started = new_run(None, [], {}, run)
        logging = started.config.logging
        train(started, [recorder, Metrics(started.directory.metrics, 0, logging.every_steps)])
        curves, terms = (f"{PICTURES}/{name}.png" for name in ("curves", "terms"))
        draw("plot", run, "--out", curves)
        draw("explain", "terms", run, "--text", PASSAGE, "--plot", terms, "--title", TITLE)
        draw("report", run, "--out", page)
        photograph(page, PICTURES / "report.png")
    assert isinstance(recorder.events[0], RunStarted)
    assert isinstance(recorder.events[-1], RunEnded)
    (PICTURES / "live.svg").write_text(live_view(recorder.events), encoding="utf-8")


if __name__ == "__main__":
    main()
