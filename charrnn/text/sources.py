"""What a path means: a file, all files of a directory, or a stream."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from shlex import quote
from typing import BinaryIO

from charrnn.errors import InputError
from charrnn.system.machine import physical_memory

STDIN = "-"
DESCRIPTORS = re.compile(r"/dev/fd/.*|/proc/[^/]+(/task/[^/]+)?/fd/.*|/dev/stdin")


def label_of(path: str) -> str:
    """What a source is called."""
    return "standard input" if path == STDIN else path


def files_of(path: str) -> tuple[list[str], int]:
    """The path itself, or the files of a directory by their sorted paths, hidden ones left out.

    And how many entries of it were passed over, as they are neither files nor folders.

    Raises: InputError where there are none, or they are more than this machine can hold.
    """
    if path == STDIN or not os.path.isdir(path):
        return [path], 0
    files: list[Path] = []
    passed_over, size = 0, 0
    with _readable(path):
        for folder, folders, names in os.walk(path, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            shown = [Path(folder, name) for name in names if not name.startswith(".")]
            found = [file for file in shown if file.is_file()]
            passed_over += len(shown) - len(found)
            passed_over += sum(Path(folder, name).is_symlink() for name in folders)
            files += found
            size += sum(file.stat().st_size for file in found)
            if size > physical_memory():
                raise InputError(
                    f"the files of the directory {path!r} are larger than this machine's memory.",
                    "name those that you mean.",
                )
    if not files:
        raise InputError(
            f"the directory {path!r} has no files, hidden ones apart.", "name one with text in it."
        )
    return [str(file) for file in sorted(files)], passed_over


def most_streamed() -> float:
    """Bytes of a stream that are kept in memory at most: a quarter of the machine's."""
    return physical_memory() // 4


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """The file, to be read twice: kept in memory where it comes from elsewhere than a disk.

    Raises: InputError.
    """
    with _readable(path):
        if path == STDIN:
            yield _kept(sys.stdin.buffer, path)
            return
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise InputError(
                f"{path!r} is a device or a socket.", "give a file, or - for standard input."
            )
        if stat.S_ISFIFO(mode) and not DESCRIPTORS.fullmatch(os.path.abspath(path)):
            raise InputError(
                f"{path!r} is a named pipe, and may never be written to.",
                f"read it by standard input: cat {quote(path)} | charrnn … -",
            )
        with Path(path).open("rb") as file:
            yield file if stat.S_ISREG(mode) else _kept(file, path)


def _kept(stream: BinaryIO, path: str) -> BinaryIO:
    kept, most = BytesIO(), most_streamed()
    what = f"{most:,.0f} bytes, a quarter of this machine's memory"
    try:
        while kept.tell() <= most and (piece := stream.read(1 << 20)):
            kept.write(piece)
    except MemoryError:
        what, most = "there is memory for", -1
    if kept.tell() > most:
        raise InputError(
            f"{label_of(path)} has more than {what}.",
            "write it to a file and name that: of a file only a piece at a time is kept.",
        )
    kept.seek(0)
    return kept


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Raises InputError for what the system says against a path."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(
            f"there is no file {path!r}.", "give a text file, a directory, or - for standard input."
        ) from None
    except OSError as error:
        where = error.filename or label_of(path)
        raise InputError(f"{where!r} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"{path!r} is no path: {error}.") from None
