"""Texts that are written side by side, a character of each at a time."""

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper
from charrnn.sampling.choice import Choose


class Lanes:
    """As many texts as lanes, each after the same prompt and with random numbers of its own."""

    def __init__(
        self, params: Params, activation: Activation, prime: Array, choose: Choose, lanes: int
    ) -> None:
        """`prime`: the prompt's ids, at least one, read from the zero state."""
        with np.errstate(over="ignore", invalid="ignore"):
            reader = Stepper(params, activation, 1)
            for character in prime[:-1, None]:
                reader(character)
            self._step = Stepper(params, activation, lanes)
        self._start, self._prime, self._choose = reader.h[0], prime[-1], choose
        self._latest = np.full(lanes, prime[-1])
        self._random = [np.random.default_rng(0)] * lanes
        self._draws = np.empty(lanes)

    def begin(self, lane: int, random: Generator) -> None:
        """Starts another text in a lane."""
        self._step.h[lane] = self._start
        self._latest[lane] = self._prime
        self._random[lane] = random

    def __call__(self) -> Array:
        """The next id (lanes,) of each, NONE where its state is beyond all numbers."""
        for lane, random in enumerate(self._random):
            self._draws[lane] = random.random()
        with np.errstate(over="ignore", invalid="ignore"):  # NONE tells
            self._latest = self._choose(self._step(self._latest), self._draws)
        return self._latest
