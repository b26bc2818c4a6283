"""Texts that are written side by side, a character of each at a time."""

import numpy as np
from numpy.random import Generator

from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper
from charrnn.sampling.choice import Choose
from charrnn.window import Array


class Lanes:
    """As many texts as lanes, each after the same prompt and with random numbers of its own."""

    def __init__(
        self, params: Params, activation: Activation, prime: Array, choose: Choose, lanes: int
    ) -> None:
        """`prime`: the prompt's ids, at least one, read from the zero state."""
        reader = Stepper(params, activation, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            for character in prime[:-1, None]:
                reader(character)
        self._start, self._prime = reader.h[0], prime[-1]
        self._step, self._choose = Stepper(params, activation, lanes), choose
        self._latest = np.full(lanes, prime[-1])
        self._random = [np.random.default_rng(0)] * lanes
        self._draws = np.empty(lanes)
        self._finite = np.empty((lanes, params.alphabet_size), dtype=bool)

    def begin(self, lane: int, random: Generator) -> None:
        """Starts another text in a lane."""
        self._step.h[lane] = self._start
        self._latest[lane] = self._prime
        self._random[lane] = random

    def __call__(self) -> tuple[Array, Array]:
        """The next id (lanes,) of each, and whether (lanes,) it came from finite logits."""
        for lane, random in enumerate(self._random):
            self._draws[lane] = random.random()
        with np.errstate(over="ignore", invalid="ignore"):  # the second of the results tells
            o = self._step(self._latest)
            np.isfinite(o, out=self._finite)
            self._latest[...] = self._choose(o, self._draws)
        finite: Array = np.logical_and.reduce(self._finite, axis=1)
        return self._latest, finite
