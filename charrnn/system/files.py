"""Atomic writes, whose temporary files carry a mark that no other program uses."""

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from charrnn.system.unfinished import unfinished

LEFTOVER = re.compile(r"\.charrnn-[0-9a-f]{16}\.tmp")  # the names of temporary files
NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # from file systems without fsync
# not to wait for the writer of a pipe; and on Windows, to leave line ends as they are
AS_IT_IS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
READER_TRIES, READER_SECONDS = 20, 0.05  # until a reader has closed a file; only on Windows


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file atomically: a crash leaves either the old or the new content.

    A link at the path is replaced, not followed.
    """
    with replacing(path) as file:
        file.write(content)


def is_same_file(path: str, other: str) -> bool:
    """Whether two paths lead to one file that exists."""
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which replaces that at the path when the block ends without an error."""
    temporary = _temporary(path)
    with unfinished(str(temporary)) as file:
        yield file
        file.flush()
        _sync(file.fileno())
        file.close()
        _replace(temporary, path)
    sync_directory(path.parent)


def _replace(temporary: Path, path: Path) -> None:
    """Renames a file; Windows refuses to replace one that another program reads."""
    if sys.platform == "win32":
        for _ in range(READER_TRIES):
            with suppress(PermissionError):
                return os.replace(temporary, path)
            time.sleep(READER_SECONDS)
    os.replace(temporary, path)


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file to read; a pipe would be waited for. Raises: OSError."""
    file = os.open(path, os.O_RDONLY | AS_IT_IS)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(0, "it is not a regular file", str(path))
    return os.fdopen(file, "rb")


def create_whole(path: Path, content: bytes) -> None:
    """Creates a file that nobody ever sees empty. Raises FileExistsError if there is one."""
    temporary = _temporary(path)
    try:
        temporary.write_bytes(content)
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a full disk, or a file system without hard links
        path.touch(exist_ok=False)
        try:
            path.write_bytes(content)
        except OSError:
            path.unlink()
            raise
    finally:
        temporary.unlink(missing_ok=True)


def sync_directory(path: Path) -> bool:
    """Writes the names in a directory to disk.

    Returns:
        Whether the file system can; some have no fsync for directories. On Windows, which never
        has, those of NTFS are in its journal.
    """
    if sys.platform == "win32":
        return True
    directory = os.open(path, os.O_RDONLY)
    try:
        return _sync(directory)
    finally:
        os.close(directory)


def _sync(file: int) -> bool:
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
        return False
    return True


def require_writable(path: Path) -> None:
    """Raises OSError if `write_atomically` could not write this file now."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with suppress(FileNotFoundError):
        path.lstat()  # its name may be too long
    temporary = _temporary(path)
    temporary.touch(exist_ok=False)
    temporary.unlink()


def _temporary(path: Path) -> Path:
    return path.with_name(f".charrnn-{secrets.token_hex(8)}.tmp")


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporary files that a killed `write_atomically` left in a folder."""
    for path in folder.glob(".charrnn-*.tmp"):
        if LEFTOVER.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            yield path


def detach(path: Path) -> None:
    """Makes a path a regular file that has no other name, or nothing, so that it can be written.

    A link, a pipe or a device is removed; a file with several names is copied, and the others keep
    the old one.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        path.unlink()
    elif status.st_nlink > 1:
        temporary = _temporary(path)
        shutil.copyfile(path, temporary)
        os.replace(temporary, path)


def leads_out_of(folder: Path, path: Path) -> bool:
    """Whether a path in a folder is a symbolic link to somewhere else, or to nothing."""
    if not path.is_symlink():
        return False
    try:
        return not path.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # broken, or a loop of links
        return True
