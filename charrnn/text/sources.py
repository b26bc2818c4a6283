"""What a path stands for: a file, all files of a directory, or a stream."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from charrnn.errors import InputError
from charrnn.system.machine import physical_memory
from charrnn.text.stored_ids import capacity
from charrnn.wording import call

STDIN = "-"
FILE_DESCRIPTORS = re.compile(r"/dev/fd/.*|/proc/[^/]+(/task/[^/]+)?/fd/.*|/dev/stdin")
READ_BYTES = 1 << 20  # of a stream at a time


def source_label(path: str) -> str:
    """What messages call a path."""
    return "standard input" if path == STDIN else path


def missing_file(path: str) -> InputError:
    """The error for a path of a text at which there is nothing."""
    return InputError(
        f"there is no file {path!r}.",
        "give a text file, a directory, - for standard input, or one of the names that "
        f"{call('texts')} lists.",
    )


class String(NamedTuple):
    """A text that is given as a string, and not as a file."""

    text: str

    def __str__(self) -> str:
        return "the text"  # in messages


class Selection(NamedTuple):
    """Which files of a directory to read, by patterns such as *.py or drafts/*.

    Attributes:
        include: Patterns of which a file matches at least one; none for all files.
        exclude: Patterns of which a file matches none.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def chooses(self, path: str) -> bool:
        """Whether to read the file with this path relative to the directory."""

        def matches(pattern: str) -> bool:
            return any(fnmatchcase(name, pattern) for name in (path, os.path.basename(path)))

        included = not self.include or any(map(matches, self.include))
        return included and not any(map(matches, self.exclude))


ALL_FILES = Selection()


def list_files(path: str, selection: Selection = ALL_FILES) -> tuple[list[str], int]:
    """The path itself, or the files of a directory and its subdirectories.

    Args:
        path: A path.
        selection: Which files of a directory to read.

    Returns:
        The files, sorted by path, without hidden ones; and the number of other entries that were
        skipped, such as pipes and links to directories.

    Raises:
        InputError: There are no files, or they are too large for this machine.
    """
    if path == STDIN or not os.path.isdir(path):
        return [path], 0
    files: list[Path] = []
    skipped, size, found, most = 0, 0, 0, capacity()
    with _os_errors_as_input_errors(path):
        for folder, folders, names in os.walk(path, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            entries = [Path(folder, name) for name in names if not name.startswith(".")]
            regular = [entry for entry in entries if entry.is_file()]
            skipped += len(entries) - len(regular)
            found += len(regular)
            chosen = [f for f in regular if selection.chooses(f.relative_to(path).as_posix())]
            skipped += sum(Path(folder, name).is_symlink() for name in folders)
            files += chosen
            size += sum(file.stat().st_size for file in chosen)
            if size > most:
                raise InputError(
                    f"the files of the directory {path!r} are larger than this machine's memory, "
                    "and than the free space for their ids.",
                    "name only those that you need.",
                )
    if not files and found:
        raise InputError(
            f"none of the {found:,} files of the directory {path!r} is chosen by data.include = "
            f"{list(selection.include)} and data.exclude = {list(selection.exclude)}.",
            'such as `data.include="*.txt"`; a pattern is for a name or a path in the directory.',
        )
    if not files:
        raise InputError(
            f"the directory {path!r} has no files, except hidden ones.",
            "give a directory of text files.",
        )
    files.sort(key=lambda file: file.parts)  # paths of Windows are compared without case
    return [str(file) for file in files], skipped


def max_stream_bytes() -> float:
    """The number of bytes of a stream to keep in memory at most: a quarter of the machine's."""
    return physical_memory() // 4


@contextmanager
def open_source(path: str) -> Iterator[BinaryIO]:
    """Opens a file for reading more than once; a stream is kept in memory for that.

    Raises:
        InputError: It cannot be read, is a device, a socket or a named pipe, or a stream too long
            for the memory.
    """
    with _os_errors_as_input_errors(path):
        if path == STDIN:
            yield _in_memory(sys.stdin.buffer, path)
            return
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise InputError(
                f"{path!r} is a device or a socket.", "give a file, or - for standard input."
            )
        if stat.S_ISFIFO(mode) and not FILE_DESCRIPTORS.fullmatch(os.path.abspath(path)):
            raise InputError(
                f"{path!r} is a named pipe: if nothing writes to it, reading would never end.",
                "give - for standard input, and redirect the pipe to it.",
            )
        with Path(path).open("rb") as file:
            yield file if stat.S_ISREG(mode) else _in_memory(file, path)


def _in_memory(stream: BinaryIO, path: str) -> BinaryIO:
    content, most = BytesIO(), max_stream_bytes()
    limit = f"{most:,.0f} bytes, a quarter of this machine's memory"
    try:
        while content.tell() <= most and (chunk := stream.read(READ_BYTES)):
            content.write(chunk)
    except MemoryError:
        limit, most = "fits in the free memory", -1
    if content.tell() > most:
        raise InputError(
            f"{source_label(path)} has more than {limit}.",
            "write it to a file and name that file, which is read in chunks.",
        )
    content.seek(0)
    return content


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def _os_errors_as_input_errors(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise missing_file(path) from None
    except OSError as error:
        source = error.filename or source_label(path)
        raise InputError(f"{source!r} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"{path!r} is not a valid path: {error}.") from None
