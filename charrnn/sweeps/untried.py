"""Chooses settings that no other trial of a study has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from charrnn.sweeps.space import MAX_LISTED, Space, points_of, size_of

DRAWS = 10  # by a sampler, then as many at random


class Untried(BaseSampler):
    """A sampler that draws again if another trial has the same parameters.

    The trial gets its parameters only then, so a study has no trials that are thrown away. If all
    are tried, one of them is tried again.

    Args:
        sampler: What draws.
        space: What it draws from.
        others: The parameters of the other trials.
        seed: The seed of what is drawn in its place, if it draws nothing new.
    """

    def __init__(
        self, sampler: BaseSampler, space: Space, others: Sequence[dict[str, Any]], seed: int
    ) -> None:
        self._sampler, self._space, self._seed = sampler, space, seed
        # a worker that was killed may have left a trial without some of its parameters
        self._tried = {self._exact(one) for one in others if one.keys() >= space.keys()}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """What is drawn together: all settings that have more than one value."""
        found = {key: dimension.distribution for key, dimension in self._space.items()}
        return {key: one for key, one in found.items() if not one.single()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draws all parameters that a trial does not have yet."""
        only = {key: one.grid[0] for key, one in self._space.items() if one.count == 1}
        point: dict[str, Any] = {}
        for sampler in [self._sampler] * DRAWS + [RandomSampler(self._seed)] * DRAWS:
            together = sampler.infer_relative_search_space(study, trial)
            drawn = sampler.sample_relative(study, trial, together)
            for key, distribution in search_space.items():
                if key not in drawn:
                    value = sampler.sample_independent(study, trial, key, distribution)
                    drawn[key] = value
            point = only | drawn | trial.params
            if self._exact(point) not in self._tried:
                return point
        return self._left(trial.params) or point

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draws one parameter."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def _exact(self, point: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(dimension.exact(point[key]) for key, dimension in self._space.items())

    def _left(self, fixed: dict[str, Any]) -> dict[str, Any] | None:
        """One of the points with some fixed parameters that are not tried, if there is one."""
        if not (size := size_of(self._space)) or size > MAX_LISTED:
            return None
        kept = {key: self._space[key].exact(value) for key, value in fixed.items()}
        left = [
            point
            for point in points_of(self._space)
            if point | kept == point and self._exact(point) not in self._tried
        ]
        return left[np.random.default_rng(self._seed).integers(len(left))] if left else None
