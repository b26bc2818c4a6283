"""Joins the processes of an MPI launcher to train together."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from charrnn.runs.follower import follow
from charrnn.runs.orders import Order
from charrnn.system.launcher import launched
from charrnn.system.progress import unwatched, watch_reading
from charrnn.system.ranks import current, join
from charrnn.system.remote import watch


@contextmanager
def joined_ranks() -> Iterator[bool]:
    """A context in which the processes of a launcher train together.

    Yields:
        Whether this process leads: the others have then done all they have to.

    Raises:
        UsageError: mpi4py or an MPI library is missing.
    """
    started = launched()
    if started is None:
        yield True
        return
    ranks = join(started)
    before = current.set(ranks)
    try:
        if ranks.rank:
            logging.disable(logging.INFO)  # rank 0 says what all read and choose
            watch.set(unwatched)
            watch_reading.set(unwatched)
            follow(ranks)
            ranks.leave()
            yield False
            return
        try:
            yield True
        except Exception:
            ranks.dismiss(Order.END, failed=True)
            raise
        ranks.dismiss(Order.END)
    finally:
        current.reset(before)
