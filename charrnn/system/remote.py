"""A file on a server, and who is shown how its download goes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from charrnn.system.progress import Progress, unwatched


@dataclass(frozen=True)
class Remote:
    """A file on a server.

    Attributes:
        name: What messages call it.
        url: Its address.
        sha256: The SHA-256 of its content.
        max_bytes: No more than this is read.
        path: Where it is saved.
        own: Whether the user's own list has it.
    """

    name: str
    url: str
    sha256: str
    max_bytes: int
    path: Path
    own: bool = False


Watch = Callable[[Remote], AbstractContextManager[Progress]]


# shows the progress of a download; a program sets it, a library leaves it
watch: ContextVar[Watch] = ContextVar("watch", default=unwatched)
