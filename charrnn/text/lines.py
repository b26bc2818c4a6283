"""A text as separate lines: the newline starts each of them and ends it."""

from itertools import pairwise
from math import prod

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.text.delimited import Delimited
from charrnn.text.text import PIECE, Text
from charrnn.window import Window
from charrnn.wording import pluralize

NEWLINE = "\n"
LONG = 20_000  # characters: a step through such a line takes its time and its memory
SHORT = 8  # characters: lines that differ by less go together anyhow


def joined_lines(documents: list[Text]) -> Text:
    """One after another; a document's end is that of its last line, also without a newline."""
    parts = []
    for document in documents:
        parts += [document] if str(document[-1:]) == NEWLINE else [document, Text.of(NEWLINE)]
    return Text.joined(parts)


def shuffled_lines(text: Text, validation_fraction: float) -> tuple[Text, int]:
    """The lines that are not blank, each with its newline, and how many characters are to train on.

    Where some are held out all are shuffled, always alike: a sorted list's end is no fair sample.
    Raises: InputError where there is no line to train on, or none to hold out.
    """
    if NEWLINE not in text.characters:
        text = Text.joined([text, Text.of(NEWLINE)])
    starts, lengths = _lines_with_ink(text)
    count = len(starts)
    held_out = round(count * validation_fraction)
    if not count:
        raise InputError("all lines of the text are blank.", "give one item a line.")
    if held_out == count or (validation_fraction > 0 and held_out == 0):
        raise InputError(
            f"of the text's {pluralize(count, 'line')} (blank ones apart) a fraction of "
            f"{validation_fraction:g} cannot be held out.",
            "give more lines, or --set data.validation_fraction=0",
        )
    if held_out:
        order = np.random.default_rng(0).permutation(count)
        starts, lengths = starts[order], lengths[order]
        del order
    ids = _gathered(text.ids, starts, lengths)
    last = int((starts + lengths).argmax())  # in the text, where it may lack its newline
    ids[int(lengths[: last + 1].sum()) - 1] = text.characters.index(NEWLINE)
    return Text(text.characters, ids).compact(), int(lengths[: count - held_out].sum())


def _lines_with_ink(text: Text) -> tuple[Array, Array]:
    """Where the lines start that are not blank, and their lengths with the newline."""
    ends = np.flatnonzero(text.ids == text.characters.index(NEWLINE)) + 1
    if str(text[-1:]) != NEWLINE:
        ends = np.append(ends, len(text) + 1)
    ends = ends.astype(np.int32 if len(text) + 1 < 2**31 else np.int64)  # short lines are many
    starts = np.roll(ends, 1)
    starts[0] = 0
    ink = text.mapped([not character.isspace() for character in text.characters], bool)
    inked = np.logical_or.reduceat(ink, starts)
    return starts[inked], (ends - starts)[inked]


def _gathered(ids: Array, starts: Array, lengths: Array) -> Array:
    """The pieces of ids one after another, about PIECE of them at a time."""
    ends = lengths.cumsum()
    gathered = np.empty(ends[-1], ids.dtype)
    first, filled = 0, 0
    while first < len(starts):
        last = max(int(np.searchsorted(ends, filled + PIECE)), first + 1)
        own, stop = slice(first, last), int(ends[last - 1])
        if last == first + 1:
            piece = ids[starts[first] :][: stop - filled]
            gathered[filled : filled + len(piece)] = piece
        else:
            shift = np.repeat(starts[own] - (ends[own] - lengths[own]), lengths[own])
            ids.take(shift + np.arange(filled, stop), out=gathered[filled:stop], mode="clip")
        first, filled = last, stop
    return gathered


class LineBatches:
    """The windows of an endless walk through lines, each line a lane from the zero state.

    Lines of like length go together, at most `batch_size` of them and none more than twice as long
    as another, but for a few characters. Which ones, and the order of the windows, is drawn anew
    in each epoch. A lane is padded to its window's longest line; y has no target there.
    """

    def __init__(self, ids: Array, batch_size: int, seed: int) -> None:
        self._lines = Delimited(ids)
        self._seed = seed
        self._bounds = _groups(np.sort(self._lines.lengths), batch_size)
        self._epoch, self._order, self._places = -1, np.empty(0, int), np.empty(0, int)

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the lines."""
        return len(self._bounds) - 1

    @property
    def largest(self) -> tuple[int, int]:
        """T and B of the window with the most characters."""
        lengths = np.sort(self._lines.lengths)
        shapes = [(int(lengths[end - 1]), end - start) for start, end in pairwise(self._bounds)]
        return max(shapes, key=prod)

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


def line_remarks(training: Array, validation: Array) -> tuple[str, ...]:
    """How many lines there are, and whether one is so long that it dominates."""
    lengths = Delimited(training).lengths
    held_out = len(Delimited(validation).lengths) if len(validation) else 0
    remarks = [f"{pluralize(len(lengths), 'line')} to train on, {held_out:,} held out."]
    longest, typical = int(lengths.max()), int(np.median(lengths))
    if longest > min(100 * typical, LONG):
        remarks.append(
            f"the longest line has {longest:,} characters, the median one {typical:,}: it takes "
            "a step of its own, and its time."
        )
    return tuple(remarks)
