"""Single-threaded BLAS, for products too small to gain from more threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

BUFFER = 40_000_000  # bytes, of OpenBLAS for a thread
SIDE = 256  # of matrices whose product needs the buffer

Item = TypeVar("Item")


class _Limit:
    """A limit on the threads of BLAS, which the first to need it sets and the last removes.

    The number of its threads is one for the whole process: each of two training threads that
    restored what it found could leave the limit of the other behind.
    """

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._libraries = ThreadpoolController()  # takes longer than a step to find
        self._limiter: Any = None

    def enter(self) -> None:
        with self._lock:
            if not self._users:
                self._limiter = self._libraries.limit(limits=1, user_api="blas")
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._limiter.restore_original_limits()


_limit = _Limit()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """A context in which each matrix product runs in the calling thread.

    Raises:
        MemoryError: There is no memory for BLAS.
    """
    _limit.enter()
    try:
        _allocate_buffer()
        yield
    finally:
        _limit.leave()


def in_single_threaded_blas(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each computed with the limit, which does not last while none is."""
    while True:
        with single_threaded_blas():
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


@cache
def _allocate_buffer() -> None:
    """Lets OpenBLAS allocate its buffer, if there is room: without, it would end the program."""
    np.empty(BUFFER, np.uint8)
    square = np.ones((SIDE, SIDE), np.float32)
    square @ square
