"""Advances several texts at a time by one character."""

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper, Steps
from charrnn.sampling.choice import Choose
from charrnn.sampling.single import Single


class Lanes:
    """One text per lane, each after the same prompt and with its own random numbers.

    Attributes:
        log_probabilities: ln p of the latest id of each text (lanes,) under the model itself; NaN
            unless they are scored.
    """

    def __init__(
        self,
        params: Params,
        activation: Activation,
        prompt: Array,
        choose: Choose,
        lanes: int,
        start: Array | None = None,
        scored: bool = False,
        single: Single | None = None,
    ) -> None:
        """Reads the prompt: its ids (N,), at least one.

        start: the state (L·H,) to read it from; None for zero.
        scored: whether to keep `log_probabilities`.
        single: generates one lane, in place of NumPy and `choose`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            reader = Stepper(params, activation, 1)
            if start is not None:
                reader.h[...] = params.by_layer(start[None])
            for id in prompt[:-1, None]:
                reader(id)
            self._step: Steps = (
                single.steps(params, activation) if single else Stepper(params, activation, lanes)
            )
        self._start, self._first = reader.h[:, 0], prompt[-1]
        self._choose, self._warns = single.choose if single else choose, single is None
        self._latest = np.full(lanes, prompt[-1])
        self._random = [np.random.default_rng(0)] * lanes
        self._draws, self._scored = np.empty(lanes), scored
        self.log_probabilities = np.full(lanes, np.nan)

    def start(self, lane: int, random: Generator) -> None:
        """Starts another text in a lane."""
        self._step.h[:, lane] = self._start
        self._latest[lane] = self._first
        self._random[lane] = random

    def __call__(self) -> Array:
        """The next id of each text (lanes,), NO_ID where its hidden state overflowed."""
        for lane, random in enumerate(self._random):
            self._draws[lane] = random.random()
        if not self._warns:
            return self._next()
        with np.errstate(over="ignore", invalid="ignore"):  # NO_ID reports it
            return self._next()

    def _next(self) -> Array:
        o = self._step(self._latest)
        self._latest = self._choose(o, self._draws)
        if self._scored:
            self.log_probabilities = -cross_entropy(o.astype(np.float64), self._latest)
        return self._latest
