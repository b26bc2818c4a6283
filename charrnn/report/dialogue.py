"""Shows the answers of a dialogue: text and lists on stdout, messages on stderr."""

import re
import sys
from collections.abc import Iterable

from rich.console import Console

from charrnn.report.inspection import shown
from charrnn.report.terminal import print_line
from charrnn.results.dialogue import Likely, Part, Said, Written
from charrnn.system.escaping import harmless, harmless_message, shortened
from charrnn.system.streams import discard_unwritable

SETTING = re.compile(r"`([a-z_]+)=([^`\n]*)`")
MAX_BAR = 30  # characters of a bar for probability 1


def show_parts(parts: Iterable[Part]) -> None:
    """Shows parts as they come; what follows a piece of text that has no newline gets one."""
    ended = True
    for part in parts:
        if isinstance(part, Written):
            text = harmless(part.text) if sys.stdout.isatty() else part.text
            sys.stdout.write(text)
            ended = (part.text or ("\n" if ended else " ")).endswith("\n")
        else:
            _end_line(ended)
            ended = True
            if isinstance(part, Said):
                _say(part)
            else:
                sys.stdout.write(_list(part))
        sys.stdout.flush()
    _end_line(ended)
    sys.stdout.flush()


def say_line(line: str) -> None:
    """Writes a line to standard error, wrapped on a terminal."""
    try:
        print_line(Console(stderr=True, emoji=False), harmless_message(shortened(line)))
    except (OSError, ValueError):
        discard_unwritable(sys.stderr)


def _end_line(ended: bool) -> None:
    if not ended:
        sys.stdout.write("\n")


def _say(said: Said) -> None:
    message = f"{said.message} {said.hint}" if said.hint else said.message
    say_line(SETTING.sub(lambda found: f"/{found[1].replace('_', '-')} {found[2]}", message))


def _list(likely: Likely) -> str:
    """A numbered line for each character."""
    width = len(f"{len(likely.characters)}")
    return "".join(
        f"{number:{width}}  {shown(character):6} {100 * probability:5.1f} %  "
        f"{'█' * round(MAX_BAR * probability)}".rstrip()
        + "\n"
        for number, (character, probability) in enumerate(
            zip(likely.characters, likely.probabilities, strict=True), 1
        )
    )
