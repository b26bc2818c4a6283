"""Locks that a crash does not leave behind."""

import errno
import fcntl
import os
import platform
import re
import stat
from contextlib import suppress
from pathlib import Path

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)  # from some file systems
LENGTH = 100  # bytes of a lock file: its holder, padded, so that a longer name is overwritten
HOLDER = re.compile(r"process \d+ on [^\n]* *\n")


class Held(Exception):
    """Another process holds the lock; the message says which."""


class Lock:
    """A lock file, held by one process at a time until it releases it or ends.

    Attributes:
        works: Whether the file system has locks; if not, nothing is locked.

    Raises:
        Held: Another process holds the lock.
        OSError: The file cannot be created, or something else is at its path.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _opened(path, os.O_RDWR | os.O_CREAT)
        try:
            self.works = _locked(self._file, fcntl.LOCK_EX)
            with suppress(OSError):  # the holder's name only improves a message
                holder = f"process {os.getpid()} on {platform.node()}".encode()
                os.pwrite(self._file, holder[: LENGTH - 1].ljust(LENGTH - 1) + b"\n", 0)
        except BaseException:
            os.close(self._file)
            raise

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


def is_lock(path: Path) -> bool:
    """Whether a file is a lock of this program, or empty. It is only looked at.

    Raises:
        Held: A process holds it.
    """
    try:
        file = _opened(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        _locked(file, fcntl.LOCK_SH)
    finally:
        os.close(file)
    return True


def _opened(path: Path, flags: int) -> int:
    """Opens a lock file. Raises OSError for a link and for any file that is not a lock."""
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    status = os.fstat(file)
    own = stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_size <= LENGTH
    if own and status.st_size:
        own = HOLDER.fullmatch(_content(file)) is not None
    if not own:
        os.close(file)
        raise FileExistsError(
            errno.EEXIST, f"its {path.name} is not a lock of this program", str(path)
        )
    return file


def _content(file: int) -> str:
    return os.pread(file, LENGTH, 0).decode(errors="replace")


def _locked(file: int, kind: int) -> bool:
    """Locks a file; returns whether its file system can. Raises: Held, OSError."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Held(_content(file).strip() or "another process") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True
