"""Single-threaded BLAS, for products too small to gain from more threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from threadpoolctl import threadpool_limits

BUFFER = 40_000_000  # bytes, of OpenBLAS for a thread
SIDE = 256  # of matrices whose product needs the buffer


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """A context in which each matrix product runs in the calling thread.

    Raises:
        MemoryError: There is no memory for BLAS.
    """
    with threadpool_limits(1, user_api="blas"):
        _allocate_buffer()
        yield


@cache
def _allocate_buffer() -> None:
    """Lets OpenBLAS allocate its buffer, if there is room: without, it would end the program."""
    np.empty(BUFFER, np.uint8)
    square = np.ones((SIDE, SIDE), np.float32)
    square @ square
