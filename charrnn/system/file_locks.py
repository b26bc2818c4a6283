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

    def share(file: int) -> bool:
        """Does nothing: Windows removes no file that is mapped. Returns: True."""
        return True

    def remove_unused(path: Path) -> bool:
        """Removes a file unless it is in use; returns whether it is gone."""
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return not path.exists()

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

    def share(file: int) -> bool:
        """Marks an open file as used, until it and all that is mapped from it is closed.

        Returns:
            False if the file is being removed. Where files cannot be locked nothing is marked.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def remove_unused(path: Path) -> bool:
        """Removes a file unless it is marked as used; returns whether it is gone.

        It stays where files cannot be locked, and who uses it is not known.
        """
        try:
            with path.open("rb+") as file:  # an exclusive lock over NFS needs more than "rb"
                lock(file.fileno())
                path.unlink()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _is_same(file: Path, status: os.stat_result) -> bool:
        try:
            return os.path.samestat(file.stat(), status)
        except OSError:
            return False
