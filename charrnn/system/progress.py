"""Who is shown how a long piece of work goes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

Progress = Callable[[int, int | None], None]  # told the bytes that are done, and of how many
Watch = Callable[[str], AbstractContextManager[Progress]]  # of the file that is read


@contextmanager
def unwatched(what: object) -> Iterator[Progress]:
    """Shows nothing."""
    yield lambda done, total: None


# shows how storing a large text goes; a program sets it, a library leaves it
watch_reading: ContextVar[Watch] = ContextVar("watch_reading", default=unwatched)
