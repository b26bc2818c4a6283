"""How the work on a flat array is shared out: without threads, as one piece."""

from collections.abc import Callable
from typing import Any

from charrnn.model.workspace import Workspace

# share(task, size): what task(slice, workspace) returns for the slices of range(size), in order
Share = Callable[[Callable[[slice, Workspace], Any], int], list[Any]]


def whole(task: Callable[[slice, Workspace], Any], size: int) -> list[Any]:
    """The task once, for all of it."""
    return [task(slice(0, size), Workspace())]
