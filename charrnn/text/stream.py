"""A text as one continuous stream: contiguous lanes, cut into windows."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.text.text import Text
from charrnn.text.windows import require_fit
from charrnn.window import NO_TARGET, Window, signed

MIN_HELD_OUT = 20  # characters of a file
MAX_BLOCKS = 1024  # of a window; the memory of a step follows from them


class Stream:
    """All files one after another; see `Sequences`."""

    name = "stream"
    text_label = "the text"
    delimiter: str | None = None
    single_line = False
    never_truncated = False

    def join(self, documents: list[Text]) -> Text:
        """One text from several."""
        return Text.concatenate(documents)

    def split(
        self, text: Text, validation_fraction: float, file_lengths: Sequence[int] = ()
    ) -> tuple[Text, int]:
        """The beginnings of all files, then their ends, and the number of characters of the first.

        Files too short to hold out MIN_HELD_OUT characters are not divided. Of a single file, or if
        most are so short, the end of the whole text is held out.
        """
        wanted = round(len(text) * validation_fraction)
        held_out = np.array([round(length * validation_fraction) for length in file_lengths], int)
        held_out[held_out < MIN_HELD_OUT] = 0
        if len(file_lengths) < 2 or 2 * held_out.sum() < wanted:
            return text, len(text) - wanted
        ends = np.cumsum(file_lengths)
        cuts = ends - held_out
        starts = ends - np.array(file_lengths)
        parts = [
            pair
            for first, last in ((starts, cuts), (cuts, ends))
            for pair in zip(first.tolist(), last.tolist(), strict=True)
        ]
        return text.rearranged(parts), len(text) - int(held_out.sum())

    def training_windows(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None, seed: int
    ) -> "StreamWindows":
        """The windows to train on."""
        return StreamWindows(ids, batch_size, window, stride)

    def scoring_windows(self, ids: Array) -> Iterable[Window]:
        """A single window of one lane."""
        return [stream_window(ids)]

    def context_lengths(self, ids: Array) -> Array:
        """The number of ids (N,) before each."""
        return np.arange(len(ids))

    def head(self, ids: Array, max_characters: int | None) -> Array:
        """The first ids."""
        return ids[:max_characters]

    def has_passages(self, ids: Array, length: int) -> bool:
        """True: a random window may start anywhere."""
        return True

    def random_window(
        self, ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
    ) -> tuple[Array, Window]:
        """A window from random positions, and the ids (C, B) before it.

        In a short text it has fewer steps, less context or fewer lanes.
        """
        T = min(time_steps, len(ids) - 1)
        context = min(context, len(ids) - 1 - T)
        positions = len(ids) - context - T
        starts = random.choice(positions, min(batch_size, positions), replace=False)
        passages = [ids[start : start + context + T + 1] for start in starts]
        lanes = signed(np.stack(passages, axis=1))
        x, y = lanes[context:-1], lanes[context + 1 :]
        return lanes[:context], Window(x, y, np.full(len(starts), context == 0))

    def notes(self, documents: int, training: Array, validation: Array) -> tuple[str, ...]:
        """Whether several files became one stream."""
        if documents == 1:
            return ()
        return (
            f"{documents:,} files are joined into one stream; "
            "`data.sequences=documents` keeps them apart.",
        )


class StreamWindows:
    """The windows of contiguous lanes.

    Lane j is the j-th of `batch_size` contiguous stretches of equal length. Each window adds the
    losses of the next `stride` characters of every lane, and starts early enough to span `window`
    characters; at the start of the text there are fewer. The last window of an epoch may be
    shorter. Fewer than `batch_size` characters at the end of the text are unused.
    """

    def __init__(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None = None
    ) -> None:
        lane_length = (len(ids) - 1) // batch_size  # the last character is only a target
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
        index = number % self.per_epoch
        start, next_start = self._start(index), self._start(index + 1)
        span = slice(start, (index + 1) * self._stride)
        x, y = (signed(lanes[:, span].T) for lanes in (self._x, self._y))
        overlap = index * self._stride - start  # steps whose losses earlier windows had
        if overlap:
            y[:overlap] = NO_TARGET
        return Window(x, y, np.full(len(self._x), start == 0), min(next_start - start, len(x)))

    def _start(self, index: int) -> int:
        return max((index + 1) * self._stride - self._window, 0)


def block_windows(ids: Array, length: int) -> Iterator[Window]:
    """Cuts the N - 1 inputs of a text into blocks, each of which starts from the zero state.

    Args:
        ids: The text (N,).
        length: The number of inputs of a block; the last block may have fewer.

    Yields:
        Windows whose lanes are blocks. Together they have each character but the first of the text
        as a target once.
    """
    length = min(length, max(len(ids) - 1, 1))  # NumPy has no lengths beyond 64 bits
    whole = (len(ids) - 1) // length * length
    x, y = (ids[start : start + whole].reshape(-1, length).T for start in (0, 1))
    for start in range(0, x.shape[1], MAX_BLOCKS):
        some = slice(start, start + MAX_BLOCKS)
        yield Window(x[:, some], y[:, some], np.ones(len(x[0, some]), dtype=bool))
    if whole < len(ids) - 1:
        yield stream_window(ids[whole:])


def stream_window(ids: Array) -> Window:
    """All of a text as one window of one lane."""
    return Window(ids[:-1, None], ids[1:, None], np.ones(1, dtype=bool))
