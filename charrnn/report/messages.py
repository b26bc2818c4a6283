"""Messages to the user, on standard error."""

import contextlib
import sys

from charrnn.report.flags import MARKED, as_flags
from charrnn.system.escaping import harmless_message
from charrnn.system.streams import say

ALIGNED = ("hint", "next")  # with the words of an error, or with the command below
TYPED_SPACE = "\U0010fffe"  # a noncharacter, for a space within what is meant to be typed


def say_message(label: str, message: str) -> None:
    """Writes a message with its label to standard error, if anyone can read it.

    On a terminal it is wrapped between words. A command to paste is not broken: if it is longer
    than a line, the terminal wraps it, and copies it as one.
    """
    label = f"{label}: " if label in ALIGNED else f"{label}:"
    line = f"{label} {message}"
    if sys.stderr.isatty():
        with contextlib.suppress(MemoryError, ImportError):  # which may be what is reported
            say(_wrapped(line, len(label) + 1))
            return
    say(harmless_message(as_flags(line)))


def _wrapped(line: str, indent: int) -> str:
    # imported here, so that messages need no Rich off a terminal
    from charrnn.report.terminal import PipeConsole, wrapped

    line = MARKED.sub(lambda found: as_flags(found[0]).replace(" ", TYPED_SPACE), line)
    line = wrapped(harmless_message(line), PipeConsole(stderr=True).width, indent)
    return line.replace(TYPED_SPACE, " ")
