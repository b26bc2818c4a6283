"""How a sweep chooses what to try next, and which trials to stop early."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from charrnn.errors import UsageError
from charrnn.sweeps.space import MAX_LISTED, Space, points_of, size_of
from charrnn.sweeps.untried import Untried

Sampler = Literal["random", "grid", "tpe"]
Pruner = Literal["none", "median", "hyperband"]

WARM_UP = 0.2  # of the evaluations of a run, before the median pruner decides


def make_sampler(
    name: Sampler, space: Space, seed: int, number: int, others: Sequence[dict[str, Any]]
) -> BaseSampler:
    """The sampler for one trial.

    Each trial has random numbers of its own, so that a sweep that is killed and continued tries
    the same as one that is not.

    Args:
        name: What chooses; the points of a grid are fixed, so their sampler is not asked.
        space: What it chooses from.
        seed: The seed of the sweep.
        number: The number of the trial.
        others: The parameters of the other trials, which are not tried again.
    """
    own, more = map(int, np.random.SeedSequence([seed, number]).generate_state(2))
    chooser = TPESampler(seed=own, constant_liar=True) if name == "tpe" else RandomSampler(seed=own)
    return Untried(chooser, space, others, more)


def make_pruner(name: Pruner, evaluations: int) -> BasePruner:
    """The pruner for runs with so many evaluations."""
    if name == "median":
        return MedianPruner(n_warmup_steps=round(WARM_UP * evaluations))
    if name == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=evaluations)
    return NopPruner()


def grid_of(space: Space) -> list[dict[str, Any]]:
    """The points of a grid, as Optuna stores them.

    Raises:
        UsageError: A range has no step, or there are too many points.
    """
    if endless := [key for key, one in space.items() if one.count is None]:
        raise UsageError(
            f"`sampler=grid`: {', '.join(endless)} can have any value in a range.",
            "list choices, give a range a step, or choose another sampler.",
        )
    if (count := size_of(space) or 0) > MAX_LISTED:
        raise UsageError(f"`sampler=grid`: the grid has {count:,} points.", "list fewer choices.")
    return [*points_of(space)]
