"""The lag profile of a run in training, once an epoch, on the same places of its text."""

from math import isfinite

import numpy as np

from charrnn.analysis.flow import decay, lag_profile
from charrnn.analysis.problems import Problem
from charrnn.events import LagProfile, Stepped
from charrnn.jobs.start import Run
from charrnn.jobs.subject import CONTEXT
from charrnn.jobs.wiring import activation_of
from charrnn.model.rnn import states
from charrnn.text.sequences import SEQUENCES
from charrnn.window import NO_TARGET, Window

LAGS, LOSSES, LANES = 64, 8, 4
FEWEST_CHARACTERS = 100_000  # between two profiles: one costs about as much as a thousand


class LagLog:
    """Measures at the end of an epoch; with a small text, not of every one.

    It draws from random numbers of its own and only reads the weights: the run does not notice.
    """

    def __init__(self, run: Run, steps_per_epoch: int) -> None:
        self._activation = activation_of(run.config)
        self._params = run.state.params
        self._steps_per_epoch = steps_per_epoch
        draw = SEQUENCES[run.config.data.sequences].drawn
        random = np.random.default_rng(0)
        self._before, (x, y, fresh, _) = draw(
            run.corpus.training, random, LAGS + LOSSES, LANES, CONTEXT
        )
        older = max(len(y) - LOSSES, 0)
        if run.config.data.sequences == "stream":
            y = np.concatenate([np.full_like(y[:older], NO_TARGET), y[older:]])
        self._window = Window(x, y, fresh)

    def __call__(self, event: Stepped) -> LagProfile | None:
        """The profile after this step, where one is due."""
        epochs, rest = divmod(event.step, self._steps_per_epoch)
        if rest or not self._due(event.characters, event.characters // epochs):
            return None
        zero = np.zeros((LANES, self._params.hidden_size), self._params.W.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told as None
            h0 = states(self._params, self._before, zero, self._activation)[-1].copy()
            problem = Problem(self._params, self._window, h0)
            norms = lag_profile(problem, self._activation, LAGS).norms
            found = decay(norms)
        return LagProfile(
            event.step,
            tuple(map(_finite, norms.tolist())),
            _finite(found.rate),
            _finite(found.half_life),
        )

    def _due(self, characters: int, per_epoch: int) -> bool:
        before = max(characters - per_epoch, 0)
        return characters // FEWEST_CHARACTERS > before // FEWEST_CHARACTERS


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
