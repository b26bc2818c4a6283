"""The windows of documents: contiguous lanes whose state is reset where a document starts."""

import numpy as np

from charrnn.arrays import Array
from charrnn.text.delimited import Delimited, padded
from charrnn.text.windows import require_fit
from charrnn.window import NO_TARGET, Window


class DocumentWindows:
    """The windows of contiguous lanes whose state is zero wherever a document starts.

    Lane j is the j-th of `batch_size` contiguous stretches of equal length; fewer than
    `batch_size` characters at the end of the text are unused. A lane is divided into passages, each
    a document or a part of one, and every passage into windows of its own: each adds the losses of
    the next `stride` characters, and starts early enough to span `window` characters; at the start
    of the passage there are fewer. So every lane is at a position of its own, and a window is
    padded to its longest lane. A lane without passages left waits for the others.
    """

    def __init__(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None = None
    ) -> None:
        require_fit(len(ids), batch_size, window or 1, stride)
        lane_length = len(ids) // batch_size
        lanes, used = np.arange(batch_size) * lane_length, batch_size * lane_length
        starts = Delimited(ids).starts
        # of each passage: where it starts, its length, and the windows up to its end
        self._starts = np.union1d(lanes, starts[starts < used])
        self._lengths = np.diff(self._starts, append=used)
        self._window = window or int(self._lengths.max())  # None: the whole passage
        self._stride = stride or self._window
        windows = -(-self._lengths // self._stride)
        self._window_ends = windows.cumsum()
        # of each lane: its first window, and how many it has
        first = np.searchsorted(self._starts, lanes)
        self._first_window = (self._window_ends - windows)[first]
        self._windows = np.add.reduceat(windows, first)
        self._ids = ids

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the text."""
        return int(self._windows.max())

    @property
    def largest(self) -> tuple[int, int]:
        """T and B that no window exceeds."""
        return min(self._window, int(self._lengths.max())), len(self._windows)

    def __getitem__(self, number: int) -> Window:
        index = number % self.per_epoch
        busy = index < self._windows
        window = self._first_window + np.where(busy, index, 0)
        passage = np.searchsorted(self._window_ends, window, side="right")
        left, length = self._window_ends[passage] - window, self._lengths[passage]
        # the characters of the passage whose losses earlier windows had
        done = (-(-length // self._stride) - left) * self._stride
        start, next_start = (
            np.maximum(done + more - self._window, 0) for more in (self._stride, 2 * self._stride)
        )
        span = np.where(busy, np.minimum(done + self._stride, length) - start, 0)
        x, y = padded(self._ids, self._starts[passage] + start, span)
        y[np.arange(len(y))[:, None] < done - start] = NO_TARGET
        return Window(x, y, done == 0, np.minimum(next_start - start, span))
