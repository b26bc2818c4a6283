"""Lag profiles during training, about once per epoch, on the same passages of the text."""

from math import isfinite

import numpy as np

from charrnn.analysis.flow import decays, lag_profiles
from charrnn.errors import CharrnnError
from charrnn.events import LagProfile, Stepped
from charrnn.model.rnn import states
from charrnn.runs.start import Run
from charrnn.setup.subject import Subject, looking_back, problem_after
from charrnn.setup.wiring import activation_of

LAGS, RECENT, LANES = 64, 8, 4
MIN_CHARACTERS_BETWEEN = 100_000  # a profile costs as much as training on about a thousand


class LagLog:
    """Measures lag profiles at the end of epochs; on a small text, not of every epoch.

    It has its own random numbers and only reads the weights, so training is the same without it.
    """

    def __init__(self, run: Run, steps_per_epoch: int) -> None:
        self._activation = activation_of(run.config)
        self._params = run.state.params
        self._steps_per_epoch = steps_per_epoch
        subject = Subject("", self._params, run.config, run.corpus.training, ())
        random = np.random.default_rng(0)
        self._before, self._window, _ = looking_back(subject, random, LAGS, RECENT, LANES)

    def __call__(self, event: Stepped) -> list[LagProfile]:
        """The profiles after this step, of each layer; none if the state is not finite."""
        epochs, rest = divmod(event.step, self._steps_per_epoch)
        if rest:
            return []
        an_epoch_ago = event.characters - event.characters // epochs
        if event.characters // MIN_CHARACTERS_BETWEEN == an_epoch_ago // MIN_CHARACTERS_BETWEEN:
            return []
        problem = problem_after(self._before, self._window, self._params, self._activation)
        with np.errstate(over="ignore", invalid="ignore"):
            h = states(problem.params, problem.window.x, problem.h0, self._activation)
            if not np.isfinite(h).all():
                return []
            try:
                profiles = lag_profiles(problem, self._activation, LAGS)
            except CharrnnError:  # the next step reports it
                return []
        found = []
        for number, (profile, (_, decay)) in enumerate(
            zip(profiles, decays(profiles), strict=True), 1
        ):
            half_life = decay.half_life if isfinite(decay.half_life) else None
            layer = number if len(profiles) > 1 else None
            norms = tuple(profile.norms.tolist())
            found.append(LagProfile(event.step, norms, decay.rate, half_life, layer))
        return found
