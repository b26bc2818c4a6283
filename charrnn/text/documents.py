"""A text as separate documents: a symbol starts each of them and ends it."""

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.text.batches import require_fit
from charrnn.text.delimited import Delimited, first_whole, padded, random_starts
from charrnn.text.text import Text
from charrnn.window import NO_TARGET, Window

END = "\x03"  # end of text


def joined_documents(documents: list[Text]) -> Text:
    """One after another, each with its END.

    Raises: InputError where END stands in one of them.
    """
    for number, document in enumerate(documents, 1):
        if END in document.characters:
            raise InputError(
                f"document {number} has the character U+0003, which stands for a document's end.",
                "leave it out, such as with tr -d '\\003'.",
            )
    end = Text.of(END)
    return Text.joined([part for document in documents if document for part in (document, end)])


def end_held_out(text: Text, validation_fraction: float) -> tuple[Text, int]:
    """The text, and how many of its characters are to train on.

    It is cut between two documents where that holds out between half and twice as much as is
    wanted; else within one, which then ends there, and another begins.
    """
    wanted = round(len(text) * validation_fraction)
    if not wanted:
        return text, len(text)
    end = text.characters.index(END)
    ends = np.flatnonzero(text.ids == end) + 1
    cut = len(text) - wanted
    held_out = len(text) - ends
    fitting = ends[(wanted <= 2 * held_out) & (held_out <= 2 * wanted)]
    if len(fitting):
        return text, int(fitting[np.abs(fitting - cut).argmin()])
    return Text(text.characters, np.insert(text.ids, cut, end)), cut + 1


class DocumentBatches:
    """The windows of contiguous lanes whose state is zero wherever a document starts.

    Lane j is the j-th of `batch_size` contiguous stretches of equal length; less than one character
    a lane, at the text's end, stays unused. A lane's start and each start of a document in it begin
    a piece. A piece has windows of its own: each brings its next `stride` characters, whose losses
    count, and begins so far before them that it spans `window` characters; at the piece's start
    there are less. So each lane stands at a place of its own, and its window is padded to the
    longest of them. A lane that has no piece left waits for the others.
    """

    def __init__(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None = None
    ) -> None:
        require_fit(len(ids), batch_size, window or 1, stride)
        lane_length = len(ids) // batch_size
        lanes, used = np.arange(batch_size) * lane_length, batch_size * lane_length
        starts = Delimited(ids).starts
        self._starts = np.union1d(lanes, starts[starts < used])
        self._lengths = np.diff(self._starts, append=used)
        self._window = window or int(self._lengths.max())  # None: the whole piece
        self._stride = stride or self._window
        windows = -(-self._lengths // self._stride)
        self._ends = windows.cumsum()  # of each piece's windows
        first = np.searchsorted(self._starts, lanes)
        self._first = (self._ends - windows)[first]  # of each lane's windows
        self._in_lane = np.add.reduceat(windows, first)
        self._ids = ids

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the text."""
        return int(self._in_lane.max())

    @property
    def largest(self) -> tuple[int, int]:
        """T and B that no window exceeds."""
        return min(self._window, int(self._lengths.max())), len(self._first)

    def __getitem__(self, number: int) -> Window:
        place = number % self.per_epoch
        busy = place < self._in_lane
        window = self._first + np.where(busy, place, 0)
        piece = np.searchsorted(self._ends, window, side="right")
        left, length = self._ends[piece] - window, self._lengths[piece]
        brought = (-(-length // self._stride) - left) * self._stride  # by the windows before
        start, next_start = (
            np.maximum(brought + more - self._window, 0)
            for more in (self._stride, 2 * self._stride)
        )
        span = np.where(busy, np.minimum(brought + self._stride, length) - start, 0)
        x, y = padded(self._ids, self._starts[piece] + start, span)
        y[np.arange(len(y))[:, None] < brought - start] = NO_TARGET
        return Window(x, y, brought == 0, np.minimum(next_start - start, span))


def first_documents(ids: Array, most: int | None) -> Array:
    """The first documents of at most so many characters; of a longer one, its beginning."""
    first = first_whole(ids, most)
    if most is None or len(first) <= most:
        return first
    return np.append(first[: most - 1], first[-1:])


def has_passages(ids: Array, length: int) -> bool:
    """Whether there is a document with a passage of so many characters."""
    return bool(Delimited(ids).lengths.max() >= length)


def random_passages(
    ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
) -> tuple[Array, Window]:
    """A window at B random places of long documents, and the ids (C, B) before it in them.

    Where no document has so many characters: the starts of random ones.
    """
    length = context + time_steps
    if not has_passages(ids, length):
        return random_starts(ids, random, time_steps, batch_size, context)
    documents = Delimited(ids)
    places = np.maximum(documents.lengths - length + 1, 0)
    ends = places.cumsum()
    chosen = random.choice(ends[-1], min(batch_size, ends[-1]), replace=False)
    document = np.searchsorted(ends, chosen, side="right")
    start = documents.starts[document] + chosen - (ends - places)[document]
    x, y = padded(ids, start, np.full(len(start), length))
    fresh = np.full(len(start), context == 0)
    return x[:context], Window(x[context:], y[context:], fresh)


def document_remarks(count: int, training: Array, validation: Array) -> tuple[str, ...]:
    """How many documents there are, how long they are, and whether one is in both parts."""
    lengths, held_out = (
        Delimited(part).lengths if len(part) else np.empty(0, int)
        for part in (training, validation)
    )
    shortest, longest = int(lengths.min()), int(lengths.max())
    sizes = f"{shortest:,} to {longest:,}" if shortest < longest else f"{longest:,}"
    remarks = [
        f"documents: {len(lengths):,} to train on, of {sizes} characters; "
        f"{len(held_out):,} held out."
    ]
    if len(lengths) + len(held_out) > count:
        remarks.append("a document is cut in two: its end is held out.")
    return tuple(remarks)
