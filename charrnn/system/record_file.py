"""A file to which records are appended, and which survives a full disk."""

import contextlib
import os
from collections.abc import Callable
from io import FileIO


class RecordFile:
    """Appends records, each as a whole; those that cannot be written are kept and retried.

    file: open for reading and appending.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._pending: list[bytes] = []
        self._torn_at: int | None = None  # the end of the last whole record, if half of one follows

    def append(self, record: bytes) -> None:
        """Writes a record, or keeps it while the disk is full."""
        self._pending.append(record)
        self._write_pending()

    def flush(self) -> None:
        """Flushes the records to disk, as far as there is space."""
        self._write_pending()
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Writes pending records, if possible, and closes the file."""
        if not self._file.closed:
            self._write_pending()
            self._file.close()

    @property
    def unwritten(self) -> int:
        """The number of records not yet written."""
        return len(self._pending)

    def keep_pending(self, condition: Callable[[bytes], bool]) -> None:
        """Drops the records not yet written that do not fulfil a condition."""
        self._pending = [record for record in self._pending if condition(record)]

    def truncate(self, end: int) -> None:
        """Cuts what is written off after a whole record. Raises: OSError."""
        self._file.truncate(end)
        self._torn_at = None

    def _write_pending(self) -> None:
        with contextlib.suppress(OSError):
            while self._pending:
                self._drop_half_record()
                end = os.fstat(self._file.fileno()).st_size
                if self._file.write(self._pending[0]) < len(self._pending[0]):
                    self._torn_at = end
                    self._drop_half_record()
                    return
                del self._pending[0]

    def _drop_half_record(self) -> None:
        """Removes what a partial write left. Raises: OSError."""
        if self._torn_at is not None:
            self._file.truncate(self._torn_at)
            self._torn_at = None
