"""A text cut into contiguous lanes, and the lanes into windows."""

import numpy as np

from charrnn.errors import InputError
from charrnn.window import Array, Window


class Batches:
    """The windows of an endless walk through a text; window number n is a function of n alone.

    Lane j is the j-th of `batch_size` contiguous stretches of equal length, and each window
    takes the next `window` characters of all of them. The last window of an epoch is shorter
    where the lane's length asks for it; less than one character a lane, at the text's end,
    stays unused.
    """

    def __init__(self, ids: Array, batch_size: int, window: int) -> None:
        require_fit(len(ids), batch_size, window)
        lane_length = (len(ids) - 1) // batch_size  # the text's last character is only a target
        self._x, self._y = (  # (B, L), views of the ids
            ids[start : start + batch_size * lane_length].reshape(batch_size, lane_length)
            for start in (0, 1)
        )
        self._window = window

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the text."""
        return -(-self._x.shape[1] // self._window)

    def __getitem__(self, number: int) -> Window:
        place = number % self.per_epoch
        span = slice(place * self._window, (place + 1) * self._window)
        x, y = (np.ascontiguousarray(lanes[:, span].T) for lanes in (self._x, self._y))
        return Window(x, y, np.full(len(self._x), place == 0))


def require_fit(length: int, batch_size: int, window: int) -> None:
    """Raises InputError where lanes of a training text would be shorter than a window."""
    if (length - 1) // batch_size >= window:
        return
    hint = "give a text of two characters at least."
    if length >= 2:
        fitting_window = min(window, length - 1)
        fitting_batch = min(batch_size, (length - 1) // fitting_window)
        hint = (
            f"this fits: --set training.batch_size={fitting_batch} "
            f"--set training.window={fitting_window}; or give more text."
        )
    raise InputError(
        f"the training part has {length:,} characters: too short for batch size {batch_size} "
        f"and window {window}, which need {batch_size * window + 1:,}.",
        hint,
    )
