"""Writes results to standard output, and notes to standard error."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from charrnn.errors import UsageError
from charrnn.report.messages import say_message
from charrnn.report.verbosity import Verbosity, verbosity
from charrnn.system.escaping import harmless, harmless_json, shortened
from charrnn.system.streams import discard, has_lost_reader
from charrnn.wording import setting


def plot_writer(
    plot: str | None, title: str | None, option: str = "plot"
) -> Callable[[Any], None] | None:
    """A function that writes a figure to the file of an option; None if it is None.

    Raises:
        UsageError: The file cannot be written, is of another kind, or there is a title without it.
    """
    if plot is None:
        if title is not None:
            raise UsageError("`title` is the title of a plot.", "add `plot=plot.png`.")
        return None
    from charrnn.commands.run_files import require_output
    from charrnn.report.figures import drawing

    draw = drawing(plot, option)
    require_output(setting(option, plot), plot)
    return draw


def write_json(document: Any) -> None:
    """Writes one JSON document; non-finite numbers, which JSON lacks, become null."""
    written = json.dumps(_finite(document), ensure_ascii=False, indent=2)
    sys.stdout.write(harmless_json(written) + "\n")


def write_line(line: str) -> None:
    """Writes one line; on a terminal, control characters are made visible."""
    write_text(f"{line}\n")


def write_text(text: str) -> None:
    """Writes lines as they are; on a terminal, control characters are made visible."""
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)


def write_notes(notes: Iterable[str]) -> None:
    """Writes notes for the user to standard error."""
    for note in notes:
        write_note(note)


def write_note(note: str) -> None:
    """Writes a note for the user to standard error, unless only errors are wanted."""
    if verbosity() > Verbosity.QUIET:
        say_message("note", shortened(note))


@contextmanager
def verdict(code: int) -> Iterator[None]:
    """Writes a result; the exit code of the command is the verdict, even if no one reads it."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if not has_lost_reader(error):
            raise
        discard(sys.stdout)
    if code:
        raise typer.Exit(code)


def write_stream(texts: Iterable[Iterable[str]], separator: str, end: str) -> None:
    """Writes texts as their pieces arrive, with a separator between texts and an end."""
    on_terminal = sys.stdout.isatty()
    last = ""
    for number, text in enumerate(texts):
        if number:
            sys.stdout.write(separator)
        for piece in text:
            last = piece or last
            sys.stdout.write(harmless(piece) if on_terminal else piece)
            sys.stdout.flush()
    sys.stdout.write(end)
    if on_terminal and not (last + end).endswith("\n"):
        sys.stdout.write("\n")  # keep the shell's prompt on a line of its own


def _finite(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
