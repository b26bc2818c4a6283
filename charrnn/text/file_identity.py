"""Whether files are still those that were read before, without reading them again."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Sequence

from charrnn.system.array_files import remembered
from charrnn.text.file_text import Source, changed
from charrnn.text.sources import STDIN, open_source
from charrnn.text.stored_ids import name_of

SETTLED_NS = 2_000_000_000  # a file may change again unnoticed if it changed less long ago
BLOCK_BYTES = 1 << 20  # of a file at a time
Status = tuple[str, int, int, int, int, bool]


def size_of(sources: Sequence[Source]) -> int | None:
    """The bytes of files; None if one is missing or no regular file, such as a pipe."""
    size = 0
    for source in sources:
        try:
            status = os.stat(source.path) if source.path != STDIN else None
        except (OSError, ValueError):
            return None
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        size += status.st_size
    return size


def statuses_of(sources: Sequence[Source]) -> list[Status]:
    """Of each file its path, size, time of change, number and device, and if it may be left out.

    Raises:
        InputError: A file is not there any more.
    """
    found = []
    for path, skip_binary in sources:
        try:
            status = os.stat(path)
        except OSError:
            raise changed(path) from None
        found.append(
            (
                os.path.abspath(path),
                status.st_size,
                status.st_mtime_ns,
                status.st_ino,
                status.st_dev,
                skip_binary,
            )
        )
    return found


def digest_of(
    sources: Sequence[Source], statuses: list[Status], advance: Callable[[int], object]
) -> str:
    """What identifies the content of files: the SHA-256 of each, of which one is made.

    It is remembered by what `statuses_of` finds, unless a file changed within SETTLED_NS.

    Args:
        sources: The files.
        statuses: What `statuses_of` finds.
        advance: Called with numbers of bytes as they are read.

    Raises:
        InputError: A file cannot be read, or changes meanwhile.
    """

    def compute() -> str:
        parts = [[_sha256(source.path, advance), source.skip_binary] for source in sources]
        require_unchanged(sources, statuses)
        return name_of("files", parts)

    if time.time_ns() - max(status[2] for status in statuses) < SETTLED_NS:
        return compute()
    digest: str = remembered(name_of("statuses", statuses), compute)
    return digest


def require_unchanged(sources: Sequence[Source], statuses: list[Status]) -> None:
    """Raises InputError if files are not those any more that `statuses_of` found."""
    for source, now, before in zip(sources, statuses_of(sources), statuses, strict=True):
        if now != before:
            raise changed(source.path)


def _sha256(path: str, advance: Callable[[int], object]) -> str:
    digest = hashlib.sha256()
    with open_source(path) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()
