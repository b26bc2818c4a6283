"""Files that are being written, so that a signal that ends the program can remove them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

_files: dict[str, BinaryIO | None] = {}  # None until they are open


@contextmanager
def unfinished(path: str) -> Iterator[BinaryIO]:
    """Creates a file to write to, which is removed when the block ends, unless it was renamed.

    Raises:
        FileExistsError: There is a file at the path; it stays.
        OSError: It cannot be created.
    """
    _files[path] = None
    try:
        with open(path, "xb") as file:
            _files[path] = file
            yield file
    finally:
        if _files[path] is not None:  # else another file is at the path
            with suppress(OSError):
                os.unlink(path)
        del _files[path]


def remove_unfinished() -> None:
    """Removes the files of all blocks that have not ended, in a program that is about to end."""
    for path, file in [*_files.items()]:
        with suppress(OSError, ValueError):  # it was renamed, or closed
            if sys.platform == "win32" and file is not None:  # which removes no open file
                os.close(file.fileno())
        with suppress(OSError):
            os.unlink(path)
