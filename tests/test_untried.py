"""No two trials of a sweep have the same settings, as long as there are others."""

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import Trial

from charrnn.sweeps.samplers import Pruner, Sampler, make_pruner, make_sampler
from charrnn.sweeps.space import Choices, Range, Space, points_of, size_of

FINITE: Space = {
    "a": Range(0.1, 0.7, step=0.1),
    "b": Range(1, 3),
    "c": Choices((True, [1, 2])),
    "d": Choices((5,)),
}


def begin(
    study: optuna.Study, space: Space, name: Sampler, keys: list[str] | None = None
) -> dict[str, Any]:
    """Begins a trial, and draws its settings or some of them."""
    trials = study.get_trials(deepcopy=False)
    others = [trial.params for trial in trials]
    study.sampler = make_sampler(name, space, 7, len(trials), others)
    trial = study.ask()
    for key in space if keys is None else keys:
        space[key].suggest(key, trial)
    return trial.params


def tell(study: optuna.Study, number: int) -> None:
    """Ends a trial, with a loss that makes TPE look at one end of the space."""
    study.tell(number, study.get_trials()[number].params["a"])


def exact(space: Space, point: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(dimension.exact(point[key]) for key, dimension in space.items())


@pytest.mark.parametrize("name", ["random", "tpe"])
@pytest.mark.parametrize("pruner", ["none", "hyperband"])
def test_as_many_trials_as_points_try_each_once(name: Sampler, pruner: Pruner) -> None:
    study = optuna.create_study(pruner=make_pruner(pruner, 10))
    size = size_of(FINITE) or 0
    assert size == 7 * 3 * 2
    tried = []
    for number in range(size):
        tried.append(exact(FINITE, begin(study, FINITE, name)))
        if number % 5:  # the others are still running
            tell(study, number)
    assert {*tried} == {exact(FINITE, point) for point in points_of(FINITE)}
    assert begin(study, FINITE, name).keys() == FINITE.keys()  # then one is tried again


@pytest.mark.parametrize("name", ["random", "tpe"])
def test_a_trial_keeps_the_values_that_it_has(name: Sampler) -> None:
    """A worker was killed before it had drawn all of them."""
    space = FINITE | {"b": Range(1, 300)}
    study = optuna.create_study()
    own = begin(study, space, name, ["a"])["a"]
    *others, left = (one for one in points_of(space) if one["a"] == space["a"].exact(own))
    study.sampler = make_sampler(name, space, 7, 0, others)
    again = Trial(study, study.get_trials()[0]._trial_id)
    for key, dimension in space.items():
        dimension.suggest(key, again)
    assert again.params == left | {"a": own}


def test_what_is_new_is_what_the_sampler_draws() -> None:
    space: Space = {"a": Range(1e-3, 1.0, log=True), "b": Range(1, 9), "c": Range(0.0, 1.0)}
    study = optuna.create_study()
    seed = int(np.random.SeedSequence([7, 0]).generate_state(2)[0])
    own = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed)).ask()
    for key, dimension in space.items():
        dimension.suggest(key, own)
    assert begin(study, space, "tpe") == own.params
    assert size_of(space) is None


def test_the_points_of_a_space_are_what_is_drawn_from_it() -> None:
    """Though Optuna rounds the values of a range in its own way."""
    study = optuna.create_study()
    drawn = [begin(study, FINITE, "random")["a"] for _ in range(40)]
    a = FINITE["a"]
    assert {a.exact(value) for value in drawn} == {*a.grid}
    assert [a.exact(value) for value in a.grid] == a.grid
    assert len(a.grid) == a.count
