"""Atomic writes, and locks that a crash does not leave behind."""

import contextlib
import errno
import fcntl
import os
import platform
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file atomically: a crash leaves either the old or the new content."""
    temporary = _temporary(path)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def require_writable(path: Path) -> None:
    """Raises OSError if `write_atomically` could not write this file now."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = _temporary(path)
    temporary.touch(exist_ok=False)
    temporary.unlink()


def _temporary(path: Path) -> Path:
    """A free name beside a file, which `remove_leftovers` recognizes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)  # left by a killed process, or a planted symbolic link
    return temporary


def remove_leftovers(folder: Path) -> None:
    """Removes temporary files that a killed `write_atomically` left in a folder."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


class Held(Exception):
    """Another process holds the lock; the message says which."""


class Lock:
    """A lock file, held by one process at a time until it releases it or ends.

    On a file system without locks nothing is locked.

    Raises:
        Held: Another process holds the lock.
        OSError: The file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 100).decode(errors="replace").strip()
            os.close(self._file)
            raise Held(holder or "another process") from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
                os.close(self._file)
                raise
        with contextlib.suppress(OSError):  # the holder's name only improves the message
            os.ftruncate(self._file, 0)
            os.write(self._file, f"process {os.getpid()} on {platform.node()}\n".encode())

    @property
    def in_place(self) -> bool:
        """Whether the locked file is still the one at its path."""
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except OSError:
            return False

    def release(self) -> None:
        """Releases the lock."""
        os.close(self._file)
