"""A window of character ids: what text and mathematics share."""

from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array

NO_TARGET = -1  # stands in y where no loss is wanted


def signed(ids: Array) -> Array:
    """Copies ids into a type that can also hold NO_TARGET."""
    return ids.astype(np.result_type(ids, np.int8), order="C")


def first_loss(y: Array) -> int:
    """Index of the first row of targets (T, B) that has a loss."""
    return 0 if y[0, 0] >= 0 else int((y >= 0).any(axis=1).argmax())


class Window(NamedTuple):
    """T characters of B parallel lanes, time first.

    Attributes:
        x: Input ids (T, B).
        y: Target ids (T, B), y_t = x_{t+1}, or NO_TARGET.
        fresh: (B,) whether the lane starts here, from the zero state.
        carried: The number of steps after which the next window starts, one for all lanes or one
            per lane (B,). None: all T of them.
        batch_targets: The number of losses of the whole batch if this window is only some of its
            lanes; a mean is over them. None: the window is the whole batch.
    """

    x: Array
    y: Array
    fresh: Array
    carried: int | Array | None = None
    batch_targets: int | None = None

    @property
    def first_loss(self) -> int:
        """Number of steps before the first one with a loss."""
        return first_loss(self.y)

    @property
    def targets(self) -> int:
        """Number of losses in this window."""
        return int(np.count_nonzero(self.y >= 0))

    def lanes(self, lanes: slice) -> "Window":
        """The window of some lanes, as views; a mean is still over the whole batch."""
        carried = self.carried[lanes] if isinstance(self.carried, np.ndarray) else self.carried
        total = self.targets if self.batch_targets is None else self.batch_targets
        return Window(self.x[:, lanes], self.y[:, lanes], self.fresh[lanes], carried, total)
