"""`charrnn sample --interactive`: lines of the user in, answers out."""

import contextlib
import io
import sys
from collections.abc import Iterable
from signal import SIGINT
from typing import TYPE_CHECKING, Any

from charrnn.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from charrnn.commands.dialogue_lines import DialogueLines

PROMPT = "> "


def refuse_with_interactive(**values: Any) -> None:
    """Refuses options that make no sense in a dialogue. Raises: UsageError."""
    for name, value in values.items():
        if value:
            raise UsageError(
                f"`interactive` and `{name}` are both given.", "leave one of them out."
            )


class _Keyboard:
    """Lines of standard input; Ctrl-C interrupts an answer, or drops the line that is typed."""

    def __init__(self) -> None:
        self.terminal, self._waiting, self._interrupted = sys.stdin.isatty(), False, False
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        if self.terminal and sys.stdout.isatty():
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401 - edits the lines of `input`

    def handle(self, number: int, frame: object) -> None:
        """Handles a stop signal."""
        if number != SIGINT or (self._waiting and not self.terminal):
            raise Interrupted("interrupted.")
        if self._waiting:
            raise KeyboardInterrupt
        self._interrupted = True

    def interrupted(self) -> bool:
        """Whether Ctrl-C was pressed since the last line."""
        return self._interrupted

    def line(self) -> str | None:
        """The next line; None at the end of the input.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        self._interrupted = False
        prompt = ""
        if self.terminal:
            prompt = PROMPT if sys.stdout.isatty() else ""
            if not prompt:
                sys.stderr.write(PROMPT)
                sys.stderr.flush()
        self._waiting = True
        try:
            return input(prompt)
        except EOFError:
            return None
        finally:
            self._waiting = False


def converse(lines: "DialogueLines", first: str) -> None:
    """Answers the lines of standard input until it ends.

    first: text to begin with; an empty one is left out.
    """
    from charrnn.commands.dialogue_lines import INTRODUCTION
    from charrnn.report.dialogue import say_line, show_parts
    from charrnn.system.signals import handled

    keyboard = _Keyboard()
    with handled(keyboard.handle):
        if keyboard.terminal:
            say_line(INTRODUCTION)
        parts: Iterable[Any] = lines.continued(first, keyboard.interrupted) if first else ()
        show_parts(parts)
        while not lines.ended:
            try:
                line = keyboard.line()
            except KeyboardInterrupt:
                say_line("")
                say_line("/quit or Ctrl-D ends.")
                continue
            if line is None:
                break
            show_parts(lines.answer(line, keyboard.interrupted))
    if line is None and keyboard.terminal:
        sys.stderr.write("\n")  # keep the shell's prompt on a line of its own
