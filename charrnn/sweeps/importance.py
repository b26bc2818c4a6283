"""Which of the searched settings matter: whether good trials have other values than all trials."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from charrnn.arrays import Array

MIN_TRIALS = 10  # below which chance decides
BEST_SHARE, MIN_BEST = 0.25, 10  # of the trials, but half of few; fewer are too few for densities
SHUFFLES = 39  # none of which gives as large an importance by chance with a probability of 1/40


class Importance(NamedTuple):
    """The importance of a setting.

    share: of the sum over all settings. by_chance: whether shuffled losses give as large a one.
    """

    share: float
    by_chance: bool


def importances(trials: Sequence[FrozenTrial]) -> tuple[dict[str, Importance], int]:
    """How much the values of a setting among the best trials differ from those among all.

    Args:
        trials: Complete trials, and pruned ones, which count as worse than these.

    Returns:
        The importance of each setting, and the number of trials that count as the best ones; none
        if there are fewer than MIN_TRIALS trials, or fewer than two settings.

    Reference:
        Watanabe, Bansal & Hutter 2023, PED-ANOVA: Efficiently Quantifying Hyperparameter
        Importance in Arbitrary Subspaces.
    """
    if len(trials) < MIN_TRIALS:
        return {}, 0
    losses = np.array(
        [inf if one.state is TrialState.PRUNED else one.value for one in trials], np.float64
    )
    losses[~np.isfinite(losses)] = losses[np.isfinite(losses)].max(initial=0) + 1
    complete = sum(one.state is not TrialState.PRUNED for one in trials)
    best = min(max(round(BEST_SHARE * len(trials)), min(MIN_BEST, len(trials) // 2)), complete)
    if not best or np.sort(losses)[best - 1] == losses.max():
        return {}, 0  # none are better than the others
    study = optuna.create_study()
    study.add_trials(
        optuna.create_trial(value=0, params=one.params, distributions=one.distributions)
        for one in trials
    )
    found = _divergences(study, losses, best)
    total = sum(found.values())
    if len(found) < 2 or not total:
        return {}, 0
    random = np.random.default_rng(0)
    shuffled = [_divergences(study, random.permutation(losses), best) for _ in range(SHUFFLES)]
    return {
        key: Importance(value / total, any(one[key] >= value for one in shuffled))
        for key, value in found.items()
    }, best


def _divergences(study: optuna.Study, losses: Array, best: int) -> dict[str, float]:
    """The divergence of the values among so many best trials from those among all, by setting."""
    # given a function for the losses, the evaluator warns of what it does; a copy takes too long
    for trial, loss in zip(study.get_trials(deepcopy=False), losses, strict=True):
        trial.value = float(loss)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=(best - 0.5) / len(losses))
    return evaluator.evaluate(study)
