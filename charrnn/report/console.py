"""The progress of a run: a live view on a terminal, plain lines elsewhere."""

from collections.abc import Callable

from charrnn.report.flags import as_flags
from charrnn.report.live_view import LiveView
from charrnn.report.plain_lines import PlainLines
from charrnn.report.terminal import PipeConsole, can_redraw
from charrnn.results import RunLog
from charrnn.system.threads import can_start_threads

__all__ = ["LiveView", "PlainLines", "make_console_sink"]


def make_console_sink(
    logged: Callable[[], RunLog | None], words: Callable[[str], str] = as_flags
) -> PlainLines | LiveView:
    """A live view, which needs a terminal that moves its cursor and a thread; else plain lines.

    Args:
        logged: Reads what a resumed run has logged before, to begin the curves with.
        words: Renders the settings in messages.
    """
    console = PipeConsole(stderr=True, emoji=False)
    plain = PlainLines(console, words)
    live = can_redraw(console) and can_start_threads()
    return LiveView(console, logged(), plain) if live else plain
