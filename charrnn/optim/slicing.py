"""Work on the slices of a flat array, which threads may share."""

from collections.abc import Callable
from typing import Any

from charrnn.model.workspace import Workspace

# (task, size) -> what task(slice, workspace) returns for the slices of range(size), in order
ForEachSlice = Callable[[Callable[[slice, Workspace], Any], int], list[Any]]


def in_one_slice(task: Callable[[slice, Workspace], Any], size: int) -> list[Any]:
    """Calls the task once, for the whole of range(size)."""
    return [task(slice(0, size), Workspace())]
