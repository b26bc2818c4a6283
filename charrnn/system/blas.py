"""Single-threaded BLAS, for products too small to gain from more threads."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """A context in which each matrix product runs in the calling thread."""
    with threadpool_limits(1, user_api="blas"):
        yield
