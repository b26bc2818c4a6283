"""Advances several texts at a time by one character."""

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper
from charrnn.sampling.choice import Choose


class Lanes:
    """One text per lane, each after the same prompt and with its own random numbers."""

    def __init__(
        self,
        params: Params,
        activation: Activation,
        prompt: Array,
        choose: Choose,
        lanes: int,
        start: Array | None = None,
    ) -> None:
        """Reads the prompt: its ids (N,), at least one.

        start: the state (L·H,) to read it from; None for zero.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            reader = Stepper(params, activation, 1)
            if start is not None:
                reader.h[...] = params.by_layer(start[None])
            for id in prompt[:-1, None]:
                reader(id)
            self._step = Stepper(params, activation, lanes)
        self._start, self._first, self._choose = reader.h[:, 0], prompt[-1], choose
        self._latest = np.full(lanes, prompt[-1])
        self._random = [np.random.default_rng(0)] * lanes
        self._draws = np.empty(lanes)

    def start(self, lane: int, random: Generator) -> None:
        """Starts another text in a lane."""
        self._step.h[:, lane] = self._start
        self._latest[lane] = self._first
        self._random[lane] = random

    def __call__(self) -> Array:
        """The next id of each text (lanes,), NO_ID where its hidden state overflowed."""
        for lane, random in enumerate(self._random):
            self._draws[lane] = random.random()
        with np.errstate(over="ignore", invalid="ignore"):  # NO_ID reports it
            self._latest = self._choose(self._step(self._latest), self._draws)
        return self._latest
