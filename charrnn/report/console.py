"""The progress of a run: a live view on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable

from charrnn.report.live_view import LiveView
from charrnn.report.plain_lines import PlainLines
from charrnn.report.terminal import PipeConsole
from charrnn.results import RunLog
from charrnn.system.threads import can_start_threads

__all__ = ["LiveView", "PlainLines", "make_console_sink"]


def make_console_sink(logged: Callable[[], RunLog | None]) -> PlainLines | LiveView:
    """A live view, which needs a terminal that moves its cursor and a thread; else plain lines.

    logged: reads what a resumed run has logged before, to begin the curves with.
    """
    console = PipeConsole(stderr=True, emoji=False)
    moves = console.is_interactive and not console.legacy_windows and sys.stderr.isatty()
    live = moves and can_start_threads()
    return LiveView(console, logged()) if live else PlainLines(console)
