"""Sequences separated by a delimiter in one array of ids; the last id is the delimiter."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.text.id_chunks import id_chunks
from charrnn.window import NO_TARGET, Window, signed


class Delimited:
    """The starts of the sequences in ids (N,), and their lengths with the delimiter at the end."""

    def __init__(self, ids: Array) -> None:
        self._ids = ids
        ends = positions_of(ids, int(ids[-1])) + 1
        self.starts = np.concatenate([[0], ends[:-1]])
        self.lengths = ends - self.starts

    def window(self, chosen: Array) -> Window:
        """A window (T, B) of the sequences with these numbers."""
        starts, lengths, fresh = self.starts[chosen], self.lengths[chosen], np.ones(len(chosen))
        if len(chosen) == 1:  # it may be long: its targets need no copy
            y = self._ids[starts[0] :][: lengths[0], None]
            return Window(np.concatenate([self._ids[-1:, None], y[:-1]]), y, fresh.astype(bool))
        return Window(*padded(self._ids, starts, lengths), fresh.astype(bool))


class DelimitedSequences:
    """What lines and documents have in common; see `Sequences`."""

    def scoring_windows(self, ids: Array, max_characters: int = 8192) -> Iterator[Window]:
        """Every sequence once, sequences of similar length together.

        Args:
            ids: The text (N,).
            max_characters: The size T × B of a window; a sequence longer than half of it has a
                window of its own.
        """
        sequences = Delimited(ids)
        order = np.argsort(sequences.lengths, kind="stable")
        while len(order):
            lanes = max(max_characters // int(sequences.lengths[order[-1]]), 1)
            yield sequences.window(order[-lanes:])
            order = order[:-lanes]

    def context_lengths(self, ids: Array) -> Array:
        """The number of ids (N,) before each in its sequence, the first delimiter included."""
        sequences = Delimited(ids)
        lengths: Array = np.arange(len(ids)) - np.repeat(sequences.starts, sequences.lengths) + 1
        return lengths


def positions_of(ids: Array, sought: int) -> Array:
    """Where an id occurs in a text (N,), found in chunks."""
    found = [np.empty(0, np.intp)]
    for start, chunk in id_chunks(ids):
        found.append(np.flatnonzero(chunk == sought) + start)
    return np.concatenate(found)


def padded(ids: Array, starts: Array, lengths: Array) -> tuple[Array, Array]:
    """Inputs and targets (T, B) of B stretches of ids.

    Args:
        ids: The text (N,).
        starts: The position of the first target of each stretch (B,).
        lengths: The number of its targets (B,); T is the largest.

    Returns:
        x, y: Past the end of a stretch x is meaningless and y is NO_TARGET.
    """
    t = np.arange(lengths.max())[:, None]
    inside = t < lengths
    positions = np.where(inside, starts + t, 0)
    x = ids[positions - 1]  # the delimiter precedes the first id: position -1 is the last id
    return x, np.where(inside, signed(ids[positions]), NO_TARGET)


def first_sequences(ids: Array, max_characters: int | None) -> Array:
    """The first complete sequences within `max_characters`, and at least one."""
    if max_characters is None or not len(ids):
        return ids  # the last id is a delimiter
    ends = positions_of(ids[:max_characters], int(ids[-1])) + 1
    if len(ends):
        return ids[: ends[-1]]
    for start, chunk in id_chunks(ids, max_characters):
        ends = positions_of(chunk, int(ids[-1])) + 1
        if len(ends):
            return ids[: start + ends[0]]
    return ids


def median_length(ids: Array) -> int:
    """The median length of the sequences."""
    return int(np.median(Delimited(ids).lengths))


def random_starts(
    ids: Array, random: Generator, time_steps: int, batch_size: int
) -> tuple[Array, Window]:
    """The first T steps of random sequences as a window, and the ids (0, B) before it: none."""
    sequences = Delimited(ids)
    number = len(sequences.lengths)
    chosen = random.choice(number, min(batch_size, number), replace=False)
    x, y, fresh, *_ = sequences.window(chosen)
    return x[:0], Window(x[:time_steps], signed(y[:time_steps]), fresh)
