"""The standard streams, any of which may be closed or lose its reader."""

import contextlib
import errno
import io
import os
import sys
from typing import IO, TextIO

if sys.platform == "win32":
    from charrnn.system.windows import allow_escape_sequences


def prepare_streams() -> None:
    """Gives a closed stream a file that discards what is written; all are UTF-8 in any locale.

    A text that was decoded with surrogates for invalid bytes is written as the same bytes.
    """
    if sys.platform == "win32":
        allow_escape_sequences()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the parent process
            # this is the lowest free number: that of the stream
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - open until exit
    for stream, errors, newline in (
        (sys.stdin, "strict", None),
        (sys.stdout, "surrogateescape", "\n"),
        (sys.stderr, "backslashreplace", None),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors, newline=newline)


def say(line: str) -> None:
    """Writes a line to standard error, if anyone can read it."""
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # closed, full, or without a reader: results still count
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Discards what is written to a stream from now on, such as by Python's flush at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def has_lost_reader(error: BaseException | None) -> bool:
    """Whether an error means that nobody reads a stream any more; Windows has two of them."""
    if sys.platform == "win32" and isinstance(error, OSError) and error.errno == errno.EINVAL:
        return error.filename is None
    return isinstance(error, BrokenPipeError)


def discard_unwritable(stream: TextIO) -> None:
    """Discards what cannot be written, so that the program can exit cleanly."""
    try:
        stream.flush()
    except (OSError, ValueError):
        discard(stream)


def is_in_foreground(stream: IO[str]) -> bool:
    """Whether this program has the terminal of a stream to itself; true if it is no terminal."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return True
