"""Joins the processes of an MPI launcher to train together."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from charrnn.errors import UsageError
from charrnn.runs.follower import follow
from charrnn.runs.orders import Order
from charrnn.system.launcher import launched
from charrnn.system.progress import unwatched, watch_reading
from charrnn.system.ranks import current, join
from charrnn.system.remote import watch

FIRST_WORD = 2.0  # seconds that rank 0 has to report what all ranks find


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
    try:
        ranks = join(started)
    except UsageError:
        if started.rank:
            time.sleep(FIRST_WORD)  # the exit of rank 0 may end this process meanwhile
            if not started.speaks:
                raise SystemExit(UsageError.exit_code) from None
        raise
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
