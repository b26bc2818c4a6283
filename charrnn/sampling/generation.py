"""Generates texts from a model after a prompt, several at a time."""

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.sampling.choice import NO_ID, Choose
from charrnn.sampling.lanes import Lanes
from charrnn.sampling.single import Single
from charrnn.sampling.start import START
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary

MAX_LANES = 32  # texts generated together
MAX_BUFFERED_CHARACTERS = 30_000_000  # of all texts that are generated but not read yet
MAX_TEXTS_AHEAD = 4  # per lane: texts that are started before they are read


class GeneratedTexts:
    """Texts 0, 1, … after a prompt; iterating gives an iterator over the characters of each.

    The prompt is not among them. Read a text before the next one is asked for; the rest of a text
    that is left half read is lost.
    """

    def __init__(
        self,
        params: Params,
        activation: Activation,
        vocabulary: Vocabulary,
        prompt: str,
        *,
        delimiter: str | None,
        choose: Choose,
        random: Callable[[int], Generator],
        length: int,
        until: str | None = None,
        count: int | None = None,
        lanes: int = MAX_LANES,
        start: Array | None = None,
        scored: bool = False,
        single: Single | None = None,
    ) -> None:
        """Reads the prompt.

        Args:
            params: The model's parameters.
            activation: Its hidden activation.
            vocabulary: Its characters.
            prompt: What every text continues.
            delimiter: The character that starts and ends a text, and is not part of it; or None.
            choose: Chooses a character from logits; see `chooser`.
            random: The source of randomness of each text by its number. A text depends on nothing
                else, except for rounding.
            length: The number of characters of a text at most.
            until: A string to stop after.
            count: The number of texts; None for endless ones.
            lanes: The number of texts to generate together at most.
            start: The state (L·H,) before the newline after which texts without a prompt begin;
                None for the zero state.
            scored: Whether to compute the probabilities that `scored_texts` gives.
            single: Generates a text that is alone, in place of NumPy and `choose`.

        Raises:
            UsageError: The prompt has unknown characters.
        """
        lanes = min(lanes, lanes if count is None else count)
        lanes = max(min(lanes, MAX_BUFFERED_CHARACTERS // (length + 1)), 1)
        # BLAS rounds one lane alone differently, and text 0 would depend on the count
        single = single if lanes == 1 else None
        computed_lanes = 1 if single else max(lanes, 2)
        if prompt or delimiter:  # a prompt need not be the beginning of anything
            prompt, start = (delimiter or "") + prompt, None
        else:
            prompt = default_prompt(vocabulary) if start is None else START
        ids = vocabulary.encode(Text.of(prompt))
        self._lanes = Lanes(params, activation, ids, choose, computed_lanes, start, scored, single)
        self._scored = scored
        self._characters = list(vocabulary.characters)
        self._delimiter = delimiter
        self._length, self._until = length, until
        self._random, self._count = random, count
        self._texts: dict[int, _Text] = {}  # those that are not read yet
        self._in_lane: list[_Text | None] = [None] * lanes
        self._started = self._next = 0

    def __iter__(self) -> Iterator[Iterator[str]]:
        """Raises, while a text is read: CharrnnError if the hidden state overflows in it."""
        return (self._read(text) for text in self._in_order())

    def scored_texts(self) -> Iterator[tuple[str, Array]]:
        """Each text with ln p of each of its characters (N,), NaN unless they are scored.

        p is the probability under the model itself: at temperature 1, among all characters. The
        delimiter that ends a text has none.

        Raises:
            CharrnnError: The hidden state overflows.
        """
        for text in self._in_order():
            characters = "".join(self._read(text))
            yield characters, np.array(text.log_probabilities or [np.nan] * len(characters))

    def _in_order(self) -> Iterator["_Text"]:
        while self._count is None or self._next < self._count:
            self._start_texts()
            text = self._texts.pop(self._next)
            yield text
            text.ended = True
            self._next += 1

    def _read(self, text: "_Text") -> Iterator[str]:
        while text.buffer or not text.ended:
            if text.buffer:
                yield text.buffer.popleft()
            else:
                self._advance()
        if text.overflowed:
            raise CharrnnError(
                "the hidden state of the model overflowed.",
                "generate less text, or train with a lower model.initialization.recurrent_gain.",
            )

    def _start_texts(self) -> None:
        """Starts texts in idle lanes, not too far ahead of the one that is read."""
        for lane, text in enumerate(self._in_lane):
            if text is not None and not text.ended:
                continue
            self._in_lane[lane] = None
            if self._started in (self._count, self._next + MAX_TEXTS_AHEAD * len(self._in_lane)):
                continue
            self._texts[self._started] = self._in_lane[lane] = _Text(ended=self._length == 0)
            self._lanes.start(lane, self._random(self._started))
            self._started += 1

    def _advance(self) -> None:
        """Generates one more character of every text in a lane."""
        ended = False
        ids = self._lanes().tolist()
        for lane, (text, id) in enumerate(zip(self._in_lane, ids, strict=False)):
            if text is not None and not text.ended:
                self._append(text, id)
                if self._scored and len(text.log_probabilities) < text.length:
                    text.log_probabilities.append(float(self._lanes.log_probabilities[lane]))
                ended |= text.ended
        if ended:
            self._start_texts()

    def _append(self, text: "_Text", id: int) -> None:
        character = self._characters[id]
        if id == NO_ID or character == self._delimiter:
            text.overflowed, text.ended = id == NO_ID, True
            return
        text.buffer.append(character)
        text.length += 1
        text.ended = text.length == self._length
        if self._until is not None:
            text.tail = (text.tail + character)[-len(self._until) :]
            text.ended |= text.tail == self._until


class _Text:
    """A text that is being generated; `buffer` is what is not read of it yet."""

    def __init__(self, ended: bool) -> None:
        self.buffer: deque[str] = deque()
        self.log_probabilities: list[float] = []
        self.length, self.tail = 0, ""
        self.ended, self.overflowed = ended, False


def default_prompt(vocabulary: Vocabulary) -> str:
    """What a text continues without a prompt: a blank line, or the first character known.

    A single newline is not enough: from the zero state the network continues as if mid-text.
    """
    return "\n\n" if "\n" in vocabulary.characters else vocabulary.characters[0]
