"""A text that a user and a model write in turn."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from charrnn.commands.prompt import in_alphabet
from charrnn.errors import CharrnnError, UsageError
from charrnn.model.loss import softmax
from charrnn.results.dialogue import Likely
from charrnn.sampling.choice import NO_ID, chooser
from charrnn.sampling.position import Carrier, Position, beginning
from charrnn.setup.loading import Model, unknown_policy
from charrnn.setup.wiring import sequences_of
from charrnn.text.text import Text
from charrnn.text.vocabulary import describe

MAX_UNDO = 200  # turns that can be undone


@dataclass
class DialogueSettings:
    """How a model continues a text.

    Attributes:
        temperature, top_k, top_p, min_p: How a character is chosen; see `chooser`.
        length: The number of characters of a continuation at most.
        seed: Random seed; continuation n of a text depends on the seed and n.
        unknown: What to do with unknown characters; see `unknown_policy`.
        until: A string that ends a continuation; None for the end of its line.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    length: int = 500
    seed: int = 1
    unknown: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Turn:
    """A state of the dialogue.

    Attributes:
        text: What was read and written since the text began.
        position: The model's position after it; None at the beginning of a text.
        continuations: The number of continuations so far.
    """

    text: str = ""
    position: Position | None = None
    continuations: int = 0


class Dialogue:
    """A text that is continued by turns; each change of it can be undone.

    Attributes:
        model: The model.
        settings: The settings, which may be changed between two turns.
        turn: The current state.
        item: What the model generates one of, such as "line"; None if it goes on without end.
    """

    def __init__(self, model: Model, settings: DialogueSettings) -> None:
        self.model, self.settings, self.turn = model, settings, Turn()
        self._carrier = Carrier(model.params, model.activation)
        sequences = sequences_of(model.config)
        self._end = sequences.delimiter
        self.item = sequences.name if self._end else None
        start = None if model.start is None else model.params.by_layer(model.start[None])[:, 0]
        self._beginning = beginning(self._carrier, model.vocabulary, self._end, start)
        self._undo: deque[Turn] = deque(maxlen=MAX_UNDO)
        self._before: Turn | None = None  # the last continuation

    def read(self, text: str) -> tuple[str, ...]:
        """Reads text of the user, and returns notes on it.

        Raises:
            UsageError: It has unknown characters, or ends a line or document; nothing is read.
        """
        text, notes = in_alphabet(self.model, text, self.settings.unknown, "the text")
        if self._end and self._end in text:
            raise UsageError(
                f"{describe(self._end)} ends a {self.item}, and the model writes one at a time.",
                "/new begins another.",
            )
        if text:
            before, ids = self.turn, self.model.vocabulary.encode(Text.of(text))
            fresh = self._beginning if self._end else None
            position = self._carrier.read(before.position or fresh, ids)
            self._change(Turn(before.text + text, position, before.continuations))
        return notes

    def write(
        self, interrupted: Callable[[], bool] = lambda: False, *, joined: bool = False
    ) -> Iterator[str]:
        """Continues the text, yielding each character; ends with a line that is not blank.

        Args:
            interrupted: Whether to stop, asked before each character.
            joined: Whether `undo` takes this back together with the change before.

        Raises:
            CharrnnError: The hidden state overflows.
        """
        if not joined:
            self._undo.append(self.turn)
        before = self._before = self.turn
        settings, written = self.settings, ""
        choose = chooser(settings.temperature, settings.top_k, settings.top_p, settings.min_p)
        random = np.random.default_rng([settings.seed, before.continuations])
        self.turn = Turn(before.text, before.position, before.continuations + 1)
        characters = self.model.vocabulary.characters
        writing = self._carrier.write(before.position or self._beginning, choose, random)
        while len(written) < settings.length and not interrupted():
            id, position = next(writing)
            if id == NO_ID:
                raise CharrnnError("the hidden state of the model overflowed.", "/new")
            if characters[id] == self._end:
                self.turn = Turn(continuations=before.continuations + 1)
                return
            written += characters[id]
            self.turn = Turn(before.text + written, position, before.continuations + 1)
            yield characters[id]
            if self._ends(written):
                return

    def _ends(self, written: str) -> bool:
        if self.settings.until is not None:
            return written.endswith(self.settings.until)
        return written.endswith("\n") and not written.isspace()

    def again(self, interrupted: Callable[[], bool] = lambda: False) -> Iterator[str] | None:
        """Takes the last continuation back and writes another; None if none was the last change."""
        if self._before is None:
            return None
        before, number = self._before, self.turn.continuations
        self.turn = Turn(before.text, before.position, number)
        return self.write(interrupted, joined=True)

    def undo(self) -> bool:
        """Restores the state before the last change of the text; False if there is none."""
        if not self._undo:
            return False
        self.turn, self._before = self._undo.pop(), None
        return True

    def new(self) -> None:
        """Begins a new text."""
        self._change(Turn(continuations=self.turn.continuations))

    def set_unknown(self, unknown: str) -> None:
        """Sets what to do with unknown characters. Raises: UsageError."""
        unknown_policy(self.model, unknown)
        self.settings.unknown = unknown

    def likely(self, count: int) -> Likely:
        """The most likely next characters, with their probabilities under the model itself."""
        o = self._carrier.logits(self.turn.position or self._beginning).astype(np.float64)
        probabilities = softmax(o)
        order = np.argsort(-o, kind="stable")[:count]
        return Likely(
            tuple(self.model.vocabulary.characters[id] for id in order.tolist()),
            tuple(probabilities[order].tolist()),
        )

    def choose(self, character: str) -> None:
        """Continues the text with one of the model's characters."""
        if character == self._end:
            self.new()
        else:
            position = self.turn.position or self._beginning
            ids = self.model.vocabulary.encode(Text.of(character))
            after = self._carrier.read(position, ids)
            self._change(Turn(self.turn.text + character, after, self.turn.continuations))

    def _change(self, turn: Turn) -> None:
        self._undo.append(self.turn)
        self.turn, self._before = turn, None
