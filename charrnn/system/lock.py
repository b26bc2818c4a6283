"""Locks that a crash does not leave behind."""

import errno
import os
import platform
import re
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

from charrnn.system import file_locks
from charrnn.system.files import AS_IT_IS, create_whole

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)  # from some file systems
LENGTH = 100  # bytes of a lock file: its holder, padded, so that a longer name is overwritten
FLAGS = AS_IT_IS | getattr(os, "O_NOFOLLOW", 0)
HOLDER = re.compile(r"process (\d{1,10}) on ([^\n]*?) *\n")
# the locks of a killed process may outlast it for a moment
DYING_SECONDS, LOOK_SECONDS = 5.0, 0.02


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
        self._file = _opened(path)
        try:
            self.works = _locked(self._file, path)
            # also in a copy of the run: leave that alone; Windows removes no open file
            if os.fstat(self._file).st_nlink > 1 and sys.platform != "win32":
                os.unlink(path)
                old, self._file = self._file, _opened(path)
                os.close(old)
                self.works = _locked(self._file, path)
            with suppress(OSError):  # the holder's name only improves a message
                os.lseek(self._file, 0, os.SEEK_SET)
                os.write(self._file, _holder())
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
    """Whether a file is a lock of this program; it is only looked at."""
    try:
        file = os.open(path, os.O_RDONLY | FLAGS)
    except OSError:
        return False
    try:
        return _is_own(file)
    finally:
        os.close(file)


def is_held(path: Path) -> bool:
    """Whether a living process of this machine holds a lock, which is only looked at.

    Of a process of another machine, only what its file says is known.
    """
    return _held_here(path) is True


def is_left(path: Path) -> bool:
    """Whether a process of this machine that held a lock has ended or released it.

    The lock is only looked at.
    """
    return _held_here(path) is False


def _held_here(path: Path) -> bool | None:
    """Whether a lock of a process of this machine is held; None if it is something else."""
    try:
        file = os.open(path, os.O_RDONLY | FLAGS)
    except OSError:
        return None
    try:
        found = HOLDER.fullmatch(_content(file)) if _is_own(file) else None
    finally:
        os.close(file)
    if not found or found[2] != platform.node() or not int(found[1]):
        return None
    return file_locks.is_locked(path, int(found[1]))


def _opened(path: Path) -> int:
    """Opens a lock file, and creates it if there is none, never empty.

    Raises:
        OSError: It cannot be created, or there is a link or a file that is not a lock.
    """
    with suppress(FileExistsError):
        create_whole(path, _holder())
    try:
        file = os.open(path, os.O_RDWR | FLAGS)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _no_lock(path) from None
        raise
    if not _is_own(file):
        os.close(file)
        raise _no_lock(path)
    return file


def _no_lock(path: Path) -> OSError:
    return FileExistsError(
        errno.EEXIST, f"its {path.name} is not a lock of this program", str(path)
    )


def _is_own(file: int) -> bool:
    status = os.fstat(file)
    small = stat.S_ISREG(status.st_mode) and status.st_size <= LENGTH
    return small and HOLDER.fullmatch(_content(file)) is not None


def _holder() -> bytes:
    holder = f"process {os.getpid()} on {platform.node()}".encode()
    return holder[: LENGTH - 1].ljust(LENGTH - 1) + b"\n"


def _content(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, LENGTH).decode(errors="replace")


def _locked(file: int, path: Path) -> bool:
    """Locks a file; returns whether its file system can. Raises: Held, OSError."""
    end = time.monotonic() + DYING_SECONDS
    while True:
        try:
            file_locks.lock(file)
        except BlockingIOError:
            if not is_left(path) or time.monotonic() > end:
                raise Held(_content(file).strip() or "another process") from None
            time.sleep(LOOK_SECONDS)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return False
        else:
            return True
