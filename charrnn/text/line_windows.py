"""The windows of separate lines: lines of similar length are batched together."""

from itertools import pairwise
from math import prod

import numpy as np

from charrnn.arrays import Array
from charrnn.text.delimited import Delimited
from charrnn.window import Window

LENGTH_SLACK = 8  # characters: lines whose lengths differ by less may always share a window


class LineWindows:
    """An endless sequence of windows, in each of which every lane is one line.

    A window has at most `batch_size` lines. The longest has at most twice the length of the
    shortest, plus LENGTH_SLACK. Which lines share a window, and the order of the windows, is drawn
    anew in each epoch. Lanes are padded to the longest line; y has no target there.
    """

    def __init__(self, ids: Array, batch_size: int, seed: int) -> None:
        self._lines = Delimited(ids)
        self._seed = seed
        self._bounds = _group(np.sort(self._lines.lengths), batch_size)
        self._epoch, self._order, self._groups = -1, np.empty(0, int), np.empty(0, int)

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the lines."""
        return len(self._bounds) - 1

    @property
    def largest(self) -> tuple[int, int]:
        """T and B of the window with the most ids."""
        lengths = np.sort(self._lines.lengths)
        shapes = [(int(lengths[end - 1]), end - start) for start, end in pairwise(self._bounds)]
        return max(shapes, key=prod)

    def __getitem__(self, number: int) -> Window:
        epoch, index = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            random = np.random.default_rng([self._seed, epoch, len(self._lines.lengths)])
            order = random.permutation(len(self._lines.lengths))
            self._order = order[np.argsort(self._lines.lengths[order], kind="stable")]
            self._groups = random.permutation(self.per_epoch)
            self._epoch = epoch
        group = self._groups[index]
        return self._lines.window(self._order[self._bounds[group] : self._bounds[group + 1]])


def _group(lengths: Array, batch_size: int) -> list[int]:
    """The starts of the groups of these sorted lengths, and the end of the last."""
    bounds = [0]
    for index, length in enumerate(lengths.tolist()):
        first = bounds[-1]
        if index - first == batch_size or length > 2 * lengths[first] + LENGTH_SLACK:
            bounds.append(index)
    return [*bounds, len(lengths)]
