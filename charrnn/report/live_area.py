"""The lower part of a terminal, which is redrawn in place below what is printed."""

import contextlib
import os
import sys
from collections.abc import Callable
from threading import Event, RLock, Thread

from rich.console import (
    Console,
    ConsoleOptions,
    ConsoleRenderable,
    RenderableType,
    RenderHook,
    RenderResult,
)
from rich.control import Control
from rich.file_proxy import FileProxy
from rich.segment import ControlType, Segment

from charrnn.system.signals import before_suspension
from charrnn.system.streams import is_in_foreground

SECONDS_PER_FRAME = 0.25
# a line, and from its second column all below: from the corner, tmux would keep it in its history
ERASE = "\r\x1b[2K\x1b[C\x1b[J\r"
WRAP, NO_WRAP = "\x1b[?7h", "\x1b[?7l"


class LiveArea(RenderHook):
    """Draws frames below everything that is printed on a console.

    After each frame the cursor returns to its top. When a terminal becomes narrower it may break
    the lines of a frame into more lines, or cut them; the cursor stays with its character either
    way, and the old frame is what is below it. Frames do not depend on the ones before.
    """

    def __init__(self, console: Console, render: Callable[[], RenderableType]) -> None:
        self._console = console
        self._frame = _Frame(render)
        self._stopped = Event()
        self._lock = RLock()
        self._redirected: contextlib.ExitStack | None = None

    def start(self) -> None:
        """Draws frames from now on."""
        with self._lock:
            if self._redirected:
                return
            self._redirected = contextlib.ExitStack()
            # what others write is printed above the area
            for redirect, stream in (
                (contextlib.redirect_stdout, sys.stdout),
                (contextlib.redirect_stderr, sys.stderr),
            ):
                self._redirected.enter_context(redirect(FileProxy(self._console, stream)))
            self._redirected.callback(before_suspension(self._erase))
            self._console.push_render_hook(self)
            Thread(target=self._redraw, name="live area", daemon=True).start()

    def stop(self) -> None:
        """Removes the area. Raises: OSError."""
        with self._lock:
            if self._redirected and not self._stopped.is_set():
                self._stopped.set()
                self._console.pop_render_hook()
                self._redirected.close()
                self._console.control(_control(ERASE))

    def draw(self) -> None:
        """Draws a frame now. Raises: OSError."""
        with self._lock:
            if not self._stopped.is_set():
                self._console.print(Control())

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Adds a frame to what is printed, unless the program runs in the background."""
        if not is_in_foreground(self._console.file):
            return renderables
        return [_control(ERASE), *renderables, self._frame]

    def _erase(self) -> None:
        """Removes the frame, so that a shell goes on in its place; for use in a signal handler."""
        with contextlib.suppress(OSError, ValueError):
            os.write(self._console.file.fileno(), ERASE.encode())

    def _redraw(self) -> None:
        with contextlib.suppress(OSError):  # printing reports it
            while not self._stopped.wait(SECONDS_PER_FRAME):
                self.draw()


class _Frame:
    """What a function renders, with the cursor moved to its top afterwards."""

    def __init__(self, render: Callable[[], RenderableType]) -> None:
        self._render = render
        self._lock = RLock()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        # the options of what is printed above, such as not to wrap, are not those of the frame
        with self._lock:  # one thread prints, another redraws
            lines = console.render_lines(self._render(), console.options, pad=False)
        lines = lines[: console.height]
        # a line that is too long, after a change of width or in a font of its own, takes one line
        yield _code(NO_WRAP)
        for number, line in enumerate(lines):
            yield from [Segment.line()] * (number > 0)
            yield from line
        up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        yield _code(f"\r{up}{WRAP}")


def _code(sequence: str) -> Segment:
    """A control sequence, which takes no place on the screen."""
    return Segment(sequence, None, [(ControlType.CARRIAGE_RETURN,)])


def _control(sequence: str) -> Control:
    control = Control()
    control.segment = _code(sequence)
    return control
