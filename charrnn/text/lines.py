"""A text as separate lines: the newline starts each of them and ends it."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from charrnn.errors import InputError
from charrnn.window import NO_TARGET, Array, Window

NEWLINE = "\n"


def shuffled_lines(text: str, validation_fraction: float) -> tuple[str, int]:
    """The lines that are not blank, each with its newline, and how many characters are to train on.

    Where some are held out all are shuffled, always alike: a sorted list's end is no fair sample.
    Raises: InputError where there is no line to train on, or none to hold out.
    """
    lines = [line + NEWLINE for line in text.split(NEWLINE) if line.strip()]
    held_out = round(len(lines) * validation_fraction)
    if not lines:
        raise InputError("all lines of the text are blank.", "give one item a line.")
    if held_out == len(lines) or (validation_fraction > 0 and held_out == 0):
        raise InputError(
            f"the text has {len(lines):,} lines that are not blank: too few to hold out a "
            f"fraction of {validation_fraction:g}.",
            "give more lines, or --set data.validation_fraction=0",
        )
    if held_out:
        lines = [lines[i] for i in np.random.default_rng(0).permutation(len(lines)).tolist()]
    return "".join(lines), sum(map(len, lines[: len(lines) - held_out]))


class LineBatches:
    """The windows of an endless walk through lines, each line a lane from the zero state.

    Lines of like length go together, which of them is drawn anew in each epoch, and so is the
    order of the windows. A lane is padded to its window's longest line; x is the newline there
    and y has no target.
    """

    def __init__(self, ids: Array, batch_size: int, seed: int) -> None:
        self._lines = _Lines(ids)
        self._batch_size, self._seed = batch_size, seed
        self._epoch, self._groups = -1, np.empty((0, batch_size), dtype=int)

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the lines."""
        return -(-len(self._lines.lengths) // self._batch_size)

    def __getitem__(self, number: int) -> Window:
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._groups = epoch, self._drawn(epoch)
        return self._lines.window(self._groups[place])

    def _drawn(self, epoch: int) -> Array:
        random = np.random.default_rng([self._seed, epoch, len(self._lines.lengths)])
        order = random.permutation(len(self._lines.lengths))
        order = order[np.argsort(self._lines.lengths[order], kind="stable")]
        missing = self.per_epoch * self._batch_size - len(order)  # empty lanes, with the shortest
        groups = np.concatenate([np.full(missing, -1), order]).reshape(-1, self._batch_size)
        return random.permutation(groups)


def line_windows(ids: Array, most_characters: int = 65536) -> Iterator[Window]:
    """Every line once, those of like length together, in windows of bounded size."""
    lines = _Lines(ids)
    order = np.argsort(lines.lengths, kind="stable")
    while len(order):
        lanes = max(most_characters // int(lines.lengths[order[-1]]), 1)
        yield lines.window(order[-lanes:])
        order = order[:-lanes]


def first_lines(ids: Array, most: int | None) -> Array:
    """The first lines that have together at most so many characters, but one at least."""
    ends = np.flatnonzero(ids == ids[-1:]) + 1
    fitting = len(ends) if most is None else max(int(np.searchsorted(ends, most, "right")), 1)
    return ids[: ends[fitting - 1]] if len(ends) else ids


def lines_in_context(ids: Array, order: int) -> tuple[Array, Array]:
    """The ids with `order` newlines before each line, and which of them are targets."""
    newline = ids[-1]
    repeats = np.where(ids == newline, order + 1, 1)
    targets = np.zeros(order + int(repeats.sum()), dtype=bool)
    targets[order + np.cumsum(repeats) - repeats] = True
    return np.concatenate([np.full(order, newline), np.repeat(ids, repeats)]), targets


def random_lines(
    ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
) -> tuple[Array, Window]:
    """A window of the starts, at most T steps, of lines drawn at random; nothing is before it."""
    lines = _Lines(ids)
    number = len(lines.lengths)
    x, y, fresh, _ = lines.window(random.choice(number, batch_size, replace=number < batch_size))
    return x[:0], Window(x[:time_steps], y[:time_steps], fresh)


class _Lines:
    """Lines of a text that ends with a newline; a length counts the newline as target."""

    def __init__(self, ids: Array) -> None:
        newline = ids[-1]
        self._ids = np.concatenate([ids[-1:], ids])  # before each line stands a newline
        ends = np.flatnonzero(ids == newline) + 1
        self._starts = np.concatenate([[0], ends[:-1]])
        self.lengths = ends - self._starts
        self._padding = newline, ids.dtype.type(NO_TARGET)

    def window(self, chosen: Array) -> Window:
        """A window (T, B) of the lines with these numbers; -1 is an empty lane."""
        lengths = np.where(chosen >= 0, self.lengths[chosen], 0)
        t = np.arange(lengths.max())[:, None]
        inside = t < lengths
        place = np.where(inside, self._starts[chosen] + t, 0)
        newline, no_target = self._padding
        x = np.where(inside, self._ids[place], newline)
        y = np.where(inside, self._ids[place + 1], no_target)
        return Window(x, y, np.ones(len(chosen), dtype=bool))
