"""How a sweep chooses what to try next, and which trials to stop early."""

from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from charrnn.errors import UsageError
from charrnn.sweeps.space import Space

Sampler = Literal["random", "grid", "tpe"]
Pruner = Literal["none", "median", "hyperband"]

WARM_UP = 0.2  # of the evaluations of a run, before the median pruner decides
MAX_GRID = 100_000


def make_sampler(name: Sampler, seed: int, number: int) -> BaseSampler:
    """The sampler for one trial.

    Each trial has random numbers of its own, so that a sweep that is killed and continued tries
    the same as one that is not.

    Args:
        name: What chooses; the points of a grid are fixed, so their sampler is not asked.
        seed: The seed of the sweep.
        number: The number of the trial.
    """
    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    if name == "tpe":
        return TPESampler(seed=own, constant_liar=True)
    return RandomSampler(seed=own)


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
    values = {key: dimension.grid for key, dimension in space.items()}
    if endless := [key for key, one in values.items() if one is None]:
        raise UsageError(
            f"`sampler=grid`: {', '.join(endless)} can have any value in a range.",
            "list choices, give a range a step, or choose another sampler.",
        )
    listed = {key: one for key, one in values.items() if one is not None}
    if (count := prod(map(len, listed.values()))) > MAX_GRID:
        raise UsageError(f"`sampler=grid`: the grid has {count:,} points.", "list fewer choices.")
    return [dict(zip(listed, point, strict=True)) for point in product(*listed.values())]
