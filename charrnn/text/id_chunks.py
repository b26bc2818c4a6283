"""Reads ids in chunks, so that neither they nor what is made of them need be in memory."""

from collections.abc import Iterator

from charrnn.arrays import Array
from charrnn.system.array_files import release_pages

CHUNK = 1 << 22  # ids at a time


def id_chunks(ids: Array, first: int = 0) -> Iterator[tuple[int, Array]]:
    """The ids (N,) from the first on in chunks, each with its position."""
    for start in range(first, len(ids), CHUNK):
        yield start, ids[start : start + CHUNK]
        release_pages(ids)
