"""A model's position in a text, from which it reads on, is asked what follows, or writes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper
from charrnn.sampling.choice import NO_ID, Choose
from charrnn.sampling.generation import default_prompt
from charrnn.sampling.start import START
from charrnn.text.vocabulary import Vocabulary


class Position(NamedTuple):
    """A position in a text.

    Attributes:
        h: The state (L, H) before its last character.
        last: The id of that character, which is read with the next one.
    """

    h: Array
    last: int


class Carrier:
    """Carries the state of a model through a text; no position is ever changed."""

    def __init__(self, params: Params, activation: Activation) -> None:
        self._params = params
        self._reader = Stepper(params, activation, 1)
        # BLAS rounds one lane alone differently, and a text would not be that of `sample`
        self._writer = Stepper(params, activation, 2)

    def read(self, position: Position | None, ids: Array) -> Position | None:
        """The position after some more ids (N,); None before the first."""
        for id in ids.tolist():
            if position is None:
                zero = np.zeros((self._params.depth, self._params.hidden_size), self._params.dtype)
                position = Position(zero, id)
            else:
                self._step(self._reader, position)
                position = Position(self._reader.h[:, 0].copy(), id)
        return position

    def logits(self, position: Position) -> Array:
        """The logits (A,) of the character that follows."""
        return self._step(self._reader, position).copy()

    def write(
        self, position: Position, choose: Choose, random: Generator
    ) -> Iterator[tuple[int, Position]]:
        """Ids that follow without end, each with the position after it; NO_ID on overflow."""
        draws = np.zeros(2)
        while True:
            draws[0] = random.random()
            self._step(self._writer, position)
            with np.errstate(over="ignore", invalid="ignore"):
                id = int(choose(self._o, draws)[0])
            if id != NO_ID:
                position = Position(self._writer.h[:, 0].copy(), id)
            yield id, position

    def _step(self, stepper: Stepper, position: Position) -> Array:
        """Reads the last character of a position, and gives the logits (A,) of what follows."""
        stepper.h[:, 0] = position.h
        with np.errstate(over="ignore", invalid="ignore"):
            self._o = stepper(np.full(stepper.h.shape[1], position.last))
        first: Array = self._o[0]
        return first


def beginning(
    carrier: Carrier, vocabulary: Vocabulary, delimiter: str | None, start: Array | None
) -> Position:
    """The position from which a text without a prompt is written.

    Args:
        carrier: Reads what precedes it.
        vocabulary: The model's characters.
        delimiter: The character that starts and ends a text; or None.
        start: The state (L, H) before the newline after which texts begin; None for zero.
    """
    if delimiter is None and start is not None:
        return Position(start, vocabulary.characters.index(START))
    before = delimiter or default_prompt(vocabulary)
    position = carrier.read(None, np.array([vocabulary.characters.index(c) for c in before]))
    if position is None:
        raise ValueError("nothing precedes the text")
    return position
