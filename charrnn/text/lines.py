"""A text as separate lines: a newline starts and ends each of them."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.text.delimited import (
    Delimited,
    DelimitedSequences,
    first_sequences,
    positions_of,
    random_starts,
)
from charrnn.text.line_windows import LineWindows
from charrnn.text.stored_ids import ids_made
from charrnn.text.text import CHUNK_CHARACTERS, Text
from charrnn.window import Window
from charrnn.wording import pluralize

NEWLINE = "\n"
LONG_LINE = 20_000  # characters: a step through such a line takes noticeable time and memory


class Lines(DelimitedSequences):
    """Each line that is not blank; see `Sequences`."""

    name = "line"
    text_label = "the lines that are not blank"
    delimiter: str | None = NEWLINE
    single_line = True
    never_truncated = True

    def join(self, documents: list[Text]) -> Text:
        """One text from several; the last line of each is ended where it lacks its newline."""
        texts = []
        for document in documents:
            texts.append(document)
            if str(document[-1:]) != NEWLINE:
                texts.append(Text.of(NEWLINE))
        return Text.concatenate(texts)

    def split(
        self, text: Text, validation_fraction: float, file_lengths: Sequence[int] = ()
    ) -> tuple[Text, int]:
        """The lines that are not blank, and the number of characters to train on.

        If some lines are held out all are shuffled, always in the same way: the end of a sorted
        list would not be a fair sample.

        Args:
            text: Lines, the last one with its newline too.
            validation_fraction: The fraction of the lines to hold out.
            file_lengths: Ignored: lines are held out at random.

        Raises:
            InputError: There is no line to train on, or none to hold out.
        """
        starts, lengths = _nonblank_lines(text)
        count = len(starts)
        held_out = round(count * validation_fraction)
        if not count:
            raise InputError("all lines of the text are blank.", "give one item per line.")
        if held_out == count or (validation_fraction > 0 and held_out == 0):
            raise InputError(
                f"a fraction of {validation_fraction:g} of {pluralize(count, 'non-blank line')} "
                "cannot be held out.",
                "give more lines, or `data.validation_fraction=0`",
            )
        if held_out:
            order = np.random.default_rng(0).permutation(count)
            starts, lengths = starts[order], lengths[order]
            del order
        made = ids_made(
            text.origin,
            ["lines", held_out > 0],
            int(lengths.sum()),
            text.ids.dtype,
            lambda: _gathered(text.ids, starts, lengths),
        )
        return Text(text.characters, *made).compact(), int(lengths[: count - held_out].sum())

    def training_windows(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None, seed: int
    ) -> LineWindows:
        """Windows of complete lines, whatever `window` and `stride` are."""
        return LineWindows(ids, batch_size, seed)

    def head(self, ids: Array, max_characters: int | None) -> Array:
        """The first complete lines, at least one."""
        return first_sequences(ids, max_characters)

    def has_passages(self, ids: Array, length: int) -> bool:
        """False: a random window starts with its lines."""
        return False

    def random_window(
        self, ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
    ) -> tuple[Array, Window]:
        """The first steps of random lines; no ids precede them."""
        return random_starts(ids, random, time_steps, batch_size)

    def notes(self, documents: int, training: Array, validation: Array) -> tuple[str, ...]:
        """The number of lines, and whether one is so long that it dominates."""
        lengths = Delimited(training).lengths
        held_out = len(Delimited(validation).lengths) if len(validation) else 0
        notes = [f"{pluralize(len(lengths), 'line')} to train on, {held_out:,} held out."]
        longest, median = int(lengths.max()), int(np.median(lengths))
        if longest > min(100 * median, LONG_LINE):
            notes.append(
                f"the longest line has {longest:,} characters, the median {median:,}: it takes a "
                "training step of its own, a slow one."
            )
        return tuple(notes)


def _nonblank_lines(text: Text) -> tuple[Array, Array]:
    """The starts of the lines that are not blank, and their lengths with the newline."""
    ends = positions_of(text.ids, text.characters.index(NEWLINE)) + 1
    ends = ends.astype(np.int32 if len(text) < 2**31 else np.int64)  # short lines are many
    starts = np.roll(ends, 1)
    starts[0] = 0
    is_visible = np.array([not character.isspace() for character in text.characters])
    nonblank = np.zeros(len(ends), bool)
    position = 0
    for chunk in text[: ends[-1]].chunks():
        visible, stop = is_visible[chunk.ids], position + len(chunk)
        first, last = np.searchsorted(ends, [position, stop - 1], "right")  # lines in the chunk
        inside = np.append(0, ends[first:last] - position)
        nonblank[first : last + 1] |= np.logical_or.reduceat(visible, inside)
        position = stop
    return starts[nonblank], (ends - starts)[nonblank]


def _gathered(ids: Array, starts: Array, lengths: Array) -> Iterator[Array]:
    """These stretches of ids one after another, in chunks of about CHUNK_CHARACTERS."""
    ends = lengths.cumsum()
    first, filled = 0, 0
    while first < len(starts):
        last = max(int(np.searchsorted(ends, filled + CHUNK_CHARACTERS)), first + 1)
        chunk, stop = slice(first, last), int(ends[last - 1])
        if last == first + 1:  # it may be long: no array of indices
            yield ids[starts[first] :][: stop - filled]
        else:
            shift = np.repeat(starts[chunk] - (ends[chunk] - lengths[chunk]), lengths[chunk])
            yield ids.take(shift + np.arange(filled, stop), mode="clip")
        first, filled = last, stop
