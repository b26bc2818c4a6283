"""Work on the slices of a flat array, which threads may share."""

from collections.abc import Callable
from typing import Any, Protocol

from charrnn.model.workspace import Workspace


class ForEachSlice(Protocol):
    """What `task(slice, workspace)` returns for contiguous slices of range(size), in order.

    The slices begin at multiples of `unit`, of which the size is one too.
    """

    def __call__(  # noqa: D102
        self, task: Callable[[slice, Workspace], Any], size: int, unit: int = 1
    ) -> list[Any]: ...


def in_one_slice(task: Callable[[slice, Workspace], Any], size: int, unit: int = 1) -> list[Any]:
    """Calls the task once, for the whole of range(size)."""
    return [task(slice(0, size), Workspace())]
