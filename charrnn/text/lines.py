"""A text as separate lines: the newline starts each of them and ends it."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from charrnn.errors import InputError
from charrnn.window import NO_TARGET, Array, Window

NEWLINE = "\n"
SHORT = 8  # characters: lines that differ by less go together anyhow


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
            f"of the text's {len(lines):,} lines (blank ones apart) a fraction of "
            f"{validation_fraction:g} cannot be held out.",
            "give more lines, or another data.validation_fraction.",
        )
    if held_out:
        lines = [lines[i] for i in np.random.default_rng(0).permutation(len(lines)).tolist()]
    return "".join(lines), sum(map(len, lines[: len(lines) - held_out]))


class LineBatches:
    """The windows of an endless walk through lines, each line a lane from the zero state.

    Lines of like length go together, at most `batch_size` of them and none more than twice as long
    as another, but for a few characters. Which ones, and the order of the windows, is drawn anew
    in each epoch. A lane is padded to its window's longest line; y has no target there.
    """

    def __init__(self, ids: Array, batch_size: int, seed: int) -> None:
        self._lines = _Lines(ids)
        self._seed = seed
        self._bounds = _groups(np.sort(self._lines.lengths), batch_size)
        self._epoch, self._order, self._places = -1, np.empty(0, int), np.empty(0, int)

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the lines."""
        return len(self._bounds) - 1

    def __getitem__(self, number: int) -> Window:
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            random = np.random.default_rng([self._seed, epoch, len(self._lines.lengths)])
            order = random.permutation(len(self._lines.lengths))
            self._order = order[np.argsort(self._lines.lengths[order], kind="stable")]
            self._places = random.permutation(self.per_epoch)
            self._epoch = epoch
        group = self._places[place]
        return self._lines.window(self._order[self._bounds[group] : self._bounds[group + 1]])


def _groups(lengths: Array, most: int) -> list[int]:
    """Where groups of these sorted lengths begin, and their end."""
    bounds = [0]
    for place, length in enumerate(lengths.tolist()):
        first = bounds[-1]
        if place - first == most or length > 2 * lengths[first] + SHORT:
            bounds.append(place)
    return [*bounds, len(lengths)]


def line_windows(ids: Array, most_characters: int = 8192) -> Iterator[Window]:
    """Every line once, those of like length together, in windows of bounded size."""
    lines = _Lines(ids)
    order = np.argsort(lines.lengths, kind="stable")
    while len(order):
        lanes = max(most_characters // int(lines.lengths[order[-1]]), 1)
        yield lines.window(order[-lanes:])
        order = order[:-lanes]


def line_remarks(training: Array, validation: Array) -> tuple[str, ...]:
    """How many lines there are, and whether one is so long that it dominates."""
    lengths = _Lines(training).lengths
    held_out = len(_Lines(validation).lengths) if len(validation) else 0
    remarks = [f"{len(lengths):,} lines to train on, {held_out:,} held out."]
    longest, typical = int(lengths.max()), int(np.median(lengths))
    if longest > 100 * typical:
        remarks.append(
            f"the longest line has {longest:,} characters, the median one {typical:,}: it takes "
            "a step of its own, and its time."
        )
    return tuple(remarks)


def first_lines(ids: Array, most: int | None) -> Array:
    """The first lines that have together at most so many characters, but one at least."""
    ends = np.flatnonzero(ids == ids[-1:]) + 1
    fitting = len(ends) if most is None else max(int(np.searchsorted(ends, most, "right")), 1)
    return ids[: ends[fitting - 1]] if len(ends) else ids


def line_history(ids: Array) -> Array:
    """How many ids each one follows: those of its line, and the newline that starts it."""
    lines = _Lines(ids)
    history: Array = np.arange(len(ids)) - np.repeat(lines.starts, lines.lengths) + 1
    return history


def typical_length(ids: Array) -> int:
    """The median length of the lines, with their newlines."""
    return int(np.median(_Lines(ids).lengths))


def random_lines(
    ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
) -> tuple[Array, Window]:
    """A window of the starts, at most T steps, of lines drawn at random; nothing is before it."""
    lines = _Lines(ids)
    number = len(lines.lengths)
    x, y, fresh, _ = lines.window(random.choice(number, min(batch_size, number), replace=False))
    return x[:0], Window(x[:time_steps], y[:time_steps], fresh)


class _Lines:
    """Lines of a text that ends with a newline; a length counts the newline as target."""

    def __init__(self, ids: Array) -> None:
        newline = ids[-1]
        self._ids = np.concatenate([ids[-1:], ids])  # before each line stands a newline
        ends = np.flatnonzero(ids == newline) + 1
        self.starts = np.concatenate([[0], ends[:-1]])
        self.lengths = ends - self.starts
        self._padding = newline, ids.dtype.type(NO_TARGET)

    def window(self, chosen: Array) -> Window:
        """A window (T, B) of the lines with these numbers."""
        lengths = self.lengths[chosen]
        t = np.arange(lengths.max())[:, None]
        inside = t < lengths
        place = np.where(inside, self.starts[chosen] + t, 0)
        newline, no_target = self._padding
        x = np.where(inside, self._ids[place], newline)
        y = np.where(inside, self._ids[place + 1], no_target)
        return Window(x, y, np.ones(len(chosen), dtype=bool))
