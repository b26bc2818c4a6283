"""Locks of open files, which end with the process that holds them."""

import errno
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    BYTE = 1 << 30  # that is locked: none of the content, which others could not read then
    TRIES, SECONDS = 3, 0.05  # `is_locked` takes the lock for a moment

    def lock(file: int) -> None:
        """Locks an open file.

        Raises:
            BlockingIOError: It is locked already.
            OSError: The file system has no locks.
        """
        for _ in range(TRIES):
            if _locked(file):
                return
            time.sleep(SECONDS)
        raise BlockingIOError(errno.EAGAIN, "it is locked")

    def is_locked(path: Path, process: int) -> bool:
        """Whether a file is locked. Raises: OSError."""
        with path.open("rb") as file:
            if not _locked(file.fileno()):
                return True
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return False

    def share(file: int) -> None:
        """Does nothing: Windows removes no file that is mapped."""

    def is_shared(path: Path) -> bool:
        """Always no: to remove the file is an error if it is mapped."""
        return False

    def _locked(file: int) -> bool:
        os.lseek(file, BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def lock(file: int) -> None:
        """Locks an open file.

        Raises:
            BlockingIOError: It is locked already.
            OSError: The file system has no locks.
        """
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_locked(path: Path, process: int) -> bool:
        """Whether this process has a file open, as its lock requires. Raises: OSError.

        The lock is not tried, since a process that starts meanwhile would find it taken. Where
        open files cannot be listed, only whether the process lives is known.
        """
        status = path.lstat()
        try:
            os.kill(process, 0)
            files = list(Path(f"/proc/{process}/fd").iterdir())
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:
            return True  # it lives; which files it has open, others may not see
        return any(_is_same(other, status) for other in files)

    def share(file: int) -> None:
        """Marks an open file as used, until it and all that is mapped from it is closed.

        Nothing happens where files cannot be locked.
        """
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def is_shared(path: Path) -> bool:
        """Whether a program uses a file that it marked. Raises: OSError."""
        with path.open("rb+") as file:  # NFS has no other lock of a file that is only read
            try:
                lock(file.fileno())
            except OSError as error:
                return isinstance(error, BlockingIOError)
        return False

    def _is_same(file: Path, status: os.stat_result) -> bool:
        try:
            return os.path.samestat(file.stat(), status)
        except OSError:
            return False
