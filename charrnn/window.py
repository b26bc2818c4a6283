"""The one thing that text and mathematics share: a window of character ids."""

from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array

NO_TARGET = -1  # stands in y where no loss is wanted


def signed(ids: Array) -> Array:
    """A copy of ids in a type that NO_TARGET fits in too."""
    return ids.astype(np.result_type(ids, np.int8), order="C")


def first_loss(y: Array) -> int:
    """The first row of targets (T, B) in which one counts."""
    return 0 if y[0, 0] >= 0 else int((y >= 0).any(axis=1).argmax())


class Window(NamedTuple):
    """T characters of B parallel lanes, time first.

    x, y: ids (T, B) of the input and target characters, y_t = x_{t+1}, or NO_TARGET.
    fresh: (B,) whether the lane starts here, from the zero state.
    carried: the steps after which the next window starts, of all lanes or of each (B,); None: all
    T of them.
    whole: where these are only some lanes of a window, the number of losses in all of it.
    """

    x: Array
    y: Array
    fresh: Array
    carried: int | Array | None = None
    whole: int | None = None

    @property
    def first_loss(self) -> int:
        """The number of steps before the first one with a loss."""
        return first_loss(self.y)

    @property
    def targets(self) -> int:
        """The number of losses."""
        return int(np.count_nonzero(self.y >= 0))
