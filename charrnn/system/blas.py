"""One BLAS thread, for products so small that more threads cost more than they bring."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """While it lasts, each matrix product runs in the thread that asks for it."""
    with threadpool_limits(1, user_api="blas"):
        yield
