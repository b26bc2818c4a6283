"""Shows the progress of a download, or of reading a large text, on standard error."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.control import Control
from rich.progress_bar import ProgressBar
from rich.segment import ControlType
from rich.table import Table

from charrnn.report.messages import say_message
from charrnn.report.terminal import PipeConsole, can_redraw, fitted
from charrnn.system.array_files import array_folder
from charrnn.system.progress import Progress
from charrnn.system.remote import Remote
from charrnn.system.streams import is_in_foreground
from charrnn.wording import format_size, word

SECONDS_PER_FRAME, SECONDS_PER_LINE = 0.1, 10.0
LINES = 10  # at most, of what has a known size
BAR, NAME, SIZE = 20, 20, 20  # columns at most: a narrow line is not broken when a window shrinks
# the cursor is below the frame, so that a program that is stopped there leaves whole lines
BACK = ((ControlType.CURSOR_UP, 1), ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))


@contextmanager
def show_download(remote: Remote) -> Iterator[Progress]:
    """Shows how a download goes, and where the file is."""
    note = f"downloading {remote.name} from {urlsplit(remote.url).hostname}"
    with _shown(remote.name, note) as progress:
        yield progress
    say_message("note", f"{remote.name} is saved as {word(str(remote.path))}")


@contextmanager
def show_reading(path: str) -> Iterator[Progress]:
    """Shows how a large text is read whose ids are stored."""
    folder = word(str(array_folder()))
    note = f"reading the large text {word(path)}; storing its ids in {folder}"
    with _shown(Path(path).name, note) as progress:
        yield progress


@contextmanager
def _shown(name: str, note: str) -> Iterator[Progress]:
    """Says a note, and shows a bar on a terminal, elsewhere at most ten lines, 10 s apart."""
    console = PipeConsole(stderr=True, emoji=False)
    progress = _Frames(console, name) if can_redraw(console) else _Lines(name)
    say_message("note", note)
    try:
        yield progress.show
    finally:
        progress.end()


class _Lines:
    """Progress as lines."""

    def __init__(self, name: str) -> None:
        self._name, self._shown_at = name, time.monotonic()
        self._shown = 0

    def show(self, received: int, total: int | None) -> None:
        if total is not None and received - self._shown < total / LINES:
            return
        if time.monotonic() - self._shown_at >= SECONDS_PER_LINE:
            self._shown_at, self._shown = time.monotonic(), received
            say_message("note", f"{self._name}: {_sizes(received, total)}")

    def end(self) -> None:
        """Does nothing."""


class _Frames:
    """Progress as a bar that is redrawn in place."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self._drawn_at: float | None = None

    def show(self, received: int, total: int | None) -> None:
        now = time.monotonic()
        if self._drawn_at is not None and now - self._drawn_at < SECONDS_PER_FRAME:
            return
        if not is_in_foreground(self._console.file):
            return
        self.end()
        self._drawn_at = now
        frame = Table.grid(padding=(0, 1))
        bar = ProgressBar(total, received, width=min(BAR, self._console.width // 3))
        frame.add_row(fitted(self._name, NAME), bar, _sizes(received, total))
        with contextlib.suppress(OSError):  # a download does not depend on who looks at it
            self._console.print(frame, no_wrap=True, crop=True)

    def end(self) -> None:
        """Removes the bar."""
        if self._drawn_at is not None:
            self._drawn_at = None
            with contextlib.suppress(OSError):
                self._console.control(Control(*BACK))


def _sizes(received: int, total: int | None) -> str:
    return format_size(received) + ("" if total is None else f" of {format_size(total)}")
