"""A turn that one process, or thread, at a time has; it ends with the process."""

import errno
import os
import time
from pathlib import Path

from charrnn.system import file_locks
from charrnn.system.lock import NO_LOCKS

FIRST_SECONDS, LONGEST_SECONDS = 0.001, 0.05  # between two tries


class Turn:
    """A turn at a file, which is created if there is none; it stays as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> int:
        """Waits for the turn.

        Returns:
            The file, open to read and write.

        Raises:
            OSError: The file cannot be opened, or its file system has no locks.
        """
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        seconds = FIRST_SECONDS
        try:
            while not self._taken(self._file):
                time.sleep(seconds)
                seconds = min(2 * seconds, LONGEST_SECONDS)
        except BaseException:
            self.end()
            raise
        return self._file

    def _taken(self, file: int) -> bool:
        try:
            file_locks.lock(file)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in NO_LOCKS:
                raise OSError(errno.ENOLCK, "its file system has no locks") from None
            raise
        return True

    def is_free(self) -> bool:
        """Whether nobody has the turn now. Raises: OSError."""
        with self._path.open("rb+") as file:
            return self._taken(file.fileno())

    def end(self) -> None:
        """Ends the turn."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
