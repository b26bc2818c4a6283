"""Sequences in one text that a symbol starts and ends: the symbol is the text's last id."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.window import NO_TARGET, Window, signed


class Delimited:
    """Where the sequences of ids (N,) start, and their lengths; the symbol at the end counts."""

    def __init__(self, ids: Array) -> None:
        self._ids = ids
        ends = np.flatnonzero(ids == ids[-1]) + 1
        self.starts = np.concatenate([[0], ends[:-1]])
        self.lengths = ends - self.starts

    def window(self, chosen: Array) -> Window:
        """A window (T, B) of the sequences with these numbers."""
        starts, lengths, fresh = self.starts[chosen], self.lengths[chosen], np.ones(len(chosen))
        if len(chosen) == 1:  # it may be long: its targets need no copy
            y = self._ids[starts[0] :][: lengths[0], None]
            return Window(np.concatenate([self._ids[-1:, None], y[:-1]]), y, fresh.astype(bool))
        return Window(*padded(self._ids, starts, lengths), fresh.astype(bool))


def padded(ids: Array, starts: Array, lengths: Array) -> tuple[Array, Array]:
    """x and y (T, B) for B stretches of targets; y has no target behind the end of each."""
    t = np.arange(lengths.max())[:, None]
    inside = t < lengths
    place = np.where(inside, starts + t, 0)
    x = ids[place - 1]  # before the first id stands the symbol, at place -1
    return x, np.where(inside, signed(ids[place]), NO_TARGET)


def whole_windows(ids: Array, most_characters: int = 8192) -> Iterator[Window]:
    """Every sequence once, those of like length together, in windows of bounded size.

    One that is longer than half of that has a window of its own.
    """
    sequences = Delimited(ids)
    order = np.argsort(sequences.lengths, kind="stable")
    while len(order):
        lanes = max(most_characters // int(sequences.lengths[order[-1]]), 1)
        yield sequences.window(order[-lanes:])
        order = order[:-lanes]


def first_whole(ids: Array, most: int | None) -> Array:
    """The first sequences that have together at most so many characters, but one at least."""
    ends = np.flatnonzero(ids == ids[-1:]) + 1
    fitting = len(ends) if most is None else max(int(np.searchsorted(ends, most, "right")), 1)
    return ids[: ends[fitting - 1]] if len(ends) else ids


def history_within(ids: Array) -> Array:
    """How many ids each one follows: those of its sequence, and the symbol that starts it."""
    sequences = Delimited(ids)
    history: Array = np.arange(len(ids)) - np.repeat(sequences.starts, sequences.lengths) + 1
    return history


def typical_length(ids: Array) -> int:
    """The median length of the sequences."""
    return int(np.median(Delimited(ids).lengths))


def random_starts(
    ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
) -> tuple[Array, Window]:
    """A window of the starts, at most T steps, of random sequences; nothing is before it."""
    sequences = Delimited(ids)
    number = len(sequences.lengths)
    chosen = random.choice(number, min(batch_size, number), replace=False)
    x, y, fresh, *_ = sequences.window(chosen)
    return x[:0], Window(x[:time_steps], signed(y[:time_steps]), fresh)
