"""What a model writes after a beginning: numbered texts, several of them at once."""

from collections import deque
from collections.abc import Callable, Iterator

from numpy.random import Generator

from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.sampling.choice import NONE, Choose
from charrnn.sampling.lanes import Lanes
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary

MOST_LANES = 32
MOST_WAITING = 30_000_000  # characters that are written before it is their turn


class Texts:
    """Texts number 0, 1, … after one beginning, each until `length`, `until` or `end`.

    end: the symbol that starts and ends each one, and is not told; None: there is none.
    random(number): the random numbers of a text, on which alone it depends, but for rounding.
    count: how many there will be; None: as many as are asked for.
    Iterating gives an iterator over each one's characters, the beginning not among them, to be read
    before the next text is asked for.
    Raises, at its turn: CharrnnError where a text's state grows beyond all numbers, as ReLU's can.
    """

    def __init__(
        self,
        params: Params,
        activation: Activation,
        vocabulary: Vocabulary,
        beginning: str,
        *,
        end: str | None,
        choose: Choose,
        random: Callable[[int], Generator],
        length: int,
        until: str | None = None,
        count: int | None = None,
        lanes: int = MOST_LANES,
    ) -> None:
        lanes = max(min(lanes, lanes if count is None else count, MOST_WAITING // (length + 1)), 1)
        beside = max(lanes, 2)  # of one lane BLAS rounds otherwise, and number 0 would be another
        prime = end + beginning if end else beginning or default_prime(vocabulary)
        self._lanes = Lanes(params, activation, vocabulary.encode(Text.of(prime)), choose, beside)
        self._characters = list(vocabulary.characters)
        self._end = end
        self._length, self._until = length, until
        self._random, self._count = random, count
        self._texts: dict[int, _Text] = {}
        self._in_lane: list[_Text | None] = [None] * lanes
        self._started = self._turn = 0

    def __iter__(self) -> Iterator[Iterator[str]]:
        while self._count is None or self._turn < self._count:
            self._fill()
            text = self._texts.pop(self._turn)
            yield self._told(text)
            text.ended = True
            self._turn += 1

    def _told(self, text: "_Text") -> Iterator[str]:
        while text.waiting or not text.ended:
            if text.waiting:
                yield text.waiting.popleft()
            else:
                self._advance()
        if text.failed:
            raise CharrnnError(
                "the model's state has grown beyond all numbers.",
                "ask for less text, or train with a lower model.initialization.recurrent_gain.",
            )

    def _fill(self) -> None:
        """Begins texts in idle lanes, not too many before their turn."""
        for lane, text in enumerate(self._in_lane):
            if text is not None and not text.ended:
                continue
            self._in_lane[lane] = None
            if self._started in (self._count, self._turn + 4 * len(self._in_lane)):
                continue
            self._texts[self._started] = self._in_lane[lane] = _Text(ended=self._length == 0)
            self._lanes.begin(lane, self._random(self._started))
            self._started += 1

    def _advance(self) -> None:
        """One character more for every text in a lane."""
        ended = False
        for text, id in zip(self._in_lane, self._lanes().tolist(), strict=False):
            if text is not None and not text.ended:
                self._append(text, id)
                ended |= text.ended
        if ended:
            self._fill()

    def _append(self, text: "_Text", id: int) -> None:
        character = self._characters[id]
        if id == NONE or character == self._end:
            text.failed, text.ended = id == NONE, True
            return
        text.waiting.append(character)
        text.written += 1
        text.ended = text.written == self._length
        if self._until is not None:
            text.tail = (text.tail + character)[-len(self._until) :]
            text.ended |= text.tail == self._until


class _Text:
    """What is written of a text and not yet told."""

    def __init__(self, ended: bool) -> None:
        self.waiting: deque[str] = deque()
        self.written, self.tail = 0, ""
        self.ended, self.failed = ended, False


def default_prime(vocabulary: Vocabulary) -> str:
    """What a text follows without a prompt: a blank line, or the first character known.

    A single line's end is too little: from the zero state the network takes it for the middle of
    something.
    """
    return "\n\n" if "\n" in vocabulary.characters else vocabulary.characters[0]
