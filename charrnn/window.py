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

    Attributes:
        x: Ids (T, B) of the input characters.
        y: Ids (T, B) of the target characters, y_t = x_{t+1}, or NO_TARGET.
        fresh: Whether a lane starts here, from the zero state (B,).
        carried: The number of steps after which the next window starts, for all lanes or for each
            (B,); None for all T.
        batch_targets: Number of losses in the whole batch, the divisor of a mean; None if this
            window is the whole batch.
        step: The number of the training step, which dropout's masks depend on.
        first_lane: The number of the first lane in its batch.
    """

    x: Array
    y: Array
    fresh: Array
    carried: int | Array | None = None
    batch_targets: int | None = None
    step: int = 0
    first_lane: int = 0

    @property
    def first_loss(self) -> int:
        """The number of steps before the first one with a loss."""
        return first_loss(self.y)

    @property
    def targets(self) -> int:
        """The number of losses."""
        if self.y.dtype.kind == "u":  # without NO_TARGET; a whole text may be one window
            return self.y.size
        return int(np.count_nonzero(self.y >= 0))

    def lanes(self, chosen: slice) -> "Window":
        """Some of the lanes, whose losses are still a part of this window's."""
        carried = self.carried
        if carried is not None and not isinstance(carried, int):
            carried = carried[chosen]
        return self._replace(
            x=self.x[:, chosen],
            y=self.y[:, chosen],
            fresh=self.fresh[chosen],
            carried=carried,
            batch_targets=self.targets if self.batch_targets is None else self.batch_targets,
            first_lane=self.first_lane + (chosen.start or 0),
        )
