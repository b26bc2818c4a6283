"""A text as one stream: cut into contiguous lanes, and the lanes into windows."""

from typing import Protocol

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.window import NO_TARGET, Window, signed
from charrnn.wording import pluralize


class Windows(Protocol):
    """An endless walk through a text; window number n is a function of n alone."""

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the text."""

    @property
    def largest(self) -> tuple[int, int]:
        """T and B that no window exceeds: of lines, those of the one with the most characters."""

    def __getitem__(self, number: int) -> Window: ...


class Batches:
    """The windows of contiguous lanes.

    Lane j is the j-th of `batch_size` contiguous stretches of equal length. Each window brings
    the next `stride` characters of all of them, whose losses count, and begins so far before
    them that it spans `window` characters; at the text's start there are less. The last window
    of an epoch is shorter where the lane's length asks for it; less than one character a lane,
    at the text's end, stays unused.
    """

    def __init__(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None = None
    ) -> None:
        lane_length = (len(ids) - 1) // batch_size  # the text's last character is only a target
        self._window = window or lane_length  # None: the whole lane
        self._stride = stride or self._window
        require_fit(len(ids) - 1, batch_size, max(self._window, 1), stride)
        self._x, self._y = (  # (B, L), views of the ids
            ids[start : start + batch_size * lane_length].reshape(batch_size, lane_length)
            for start in (0, 1)
        )

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the text."""
        return -(-self._x.shape[1] // self._stride)

    @property
    def largest(self) -> tuple[int, int]:
        """T and B that no window exceeds."""
        return self._window, len(self._x)

    def __getitem__(self, number: int) -> Window:
        place = number % self.per_epoch
        start, next_start = self._start(place), self._start(place + 1)
        span = slice(start, (place + 1) * self._stride)
        x, y = (signed(lanes[:, span].T) for lanes in (self._x, self._y))
        counted_before = place * self._stride - start
        if counted_before:
            y[:counted_before] = NO_TARGET
        return Window(x, y, np.full(len(self._x), start == 0), min(next_start - start, len(x)))

    def _start(self, place: int) -> int:
        return max((place + 1) * self._stride - self._window, 0)


def stream_window(ids: Array) -> Window:
    """All of a text in one lane."""
    return Window(ids[:-1, None], ids[1:, None], np.ones(1, dtype=bool))


def random_pieces(
    ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
) -> tuple[Array, Window]:
    """A window at B random places, at most T steps long, and the ids (C, B) before it.

    B is less than `batch_size` where a short text has fewer places.
    """
    T = min(time_steps, len(ids) - 1)
    context = min(context, len(ids) - 1 - T)
    places = len(ids) - context - T
    starts = random.choice(places, min(batch_size, places), replace=False)
    pieces = signed(np.stack([ids[start : start + context + T + 1] for start in starts], axis=1))
    x, y = pieces[context:-1], pieces[context + 1 :]
    return pieces[:context], Window(x, y, np.full(len(starts), context == 0))


def require_fit(targets: int, batch_size: int, window: int, stride: int | None = None) -> None:
    """Raises InputError where lanes of a training text would be shorter than a window."""
    if targets // batch_size >= window:
        return
    hint = "give a text of two characters at least."
    if targets >= 1:
        fitting_window = min(window, targets)
        fitting_batch = min(batch_size, targets // fitting_window)
        shorter = " --set training.stride=null" if (stride or 0) > fitting_window else ""
        hint = (
            f"this fits: --set training.batch_size={fitting_batch} "
            f"--set training.window={fitting_window}{shorter}; or give more text."
        )
    raise InputError(
        f"the training part has {pluralize(max(targets, 0), 'character')} to predict: too few for "
        f"batch size {batch_size} and window {window}, which need {batch_size * window:,}.",
        hint,
    )
