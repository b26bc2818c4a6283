"""Summarizes a study: its trials, which are best, what mattered, and what to try next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from statistics import fmean, stdev

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from charrnn.results import Repeated, SearchedSetting, SweepReport, SweepTrial, TrialState
from charrnn.sweeps.advice import advise, best_end
from charrnn.sweeps.importance import importances
from charrnn.sweeps.space import Choices
from charrnn.sweeps.study import is_repeat

STATES = {
    optuna.trial.TrialState.COMPLETE: TrialState.COMPLETE,
    optuna.trial.TrialState.PRUNED: TrialState.PRUNED,
    optuna.trial.TrialState.FAIL: TrialState.FAILED,
    optuna.trial.TrialState.RUNNING: TrialState.RUNNING,
    optuna.trial.TrialState.WAITING: TrialState.WAITING,
}
ATTRIBUTES = ("train", "seed", "run", "seconds", "steps", "failure", "repeats")
JUDGED = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)


def summarize_study(study: optuna.Study, name: str) -> SweepReport:
    """Summarizes a study as far as it has come; other processes may be working on it.

    Args:
        study: The study.
        name: What to call it.
    """
    stored = study.get_trials(deepcopy=False)
    space = study.user_attrs.get("space") or {}
    choices = {key: Choices((*one["choices"],)) for key, one in space.items() if "choices" in one}
    trials = tuple(_trial(one, choices) for one in stored)
    repeated = _repeated(trials)
    means = {one.trial: one.mean for one in repeated}
    complete = [one for one in trials if one.value is not None and one.repeats is None]
    # one seed of a trial may be lucky: what is known to be good with others comes first
    complete.sort(key=lambda one: (one.number not in means, means.get(one.number, one.value or 0)))
    best = tuple(one.number for one in complete)
    shares, top = importances([one for one in stored if one.state in JUDGED and not is_repeat(one)])
    config = study.user_attrs.get("config") or {}
    settings = [
        replace(
            setting,
            best_at=best_end(setting, complete, config),
            importance=shares[setting.key].share if setting.key in shares else None,
            by_chance=shares[setting.key].by_chance if setting.key in shares else None,
        )
        for setting in _searched(stored, choices)
    ]
    settings.sort(key=lambda setting: -(setting.importance or 0))
    report = SweepReport(
        name, tuple(study.user_attrs.get("text") or ()), config, trials, tuple(settings), best,
        top, tuple(sorted(repeated, key=lambda one: one.mean)),
    )  # fmt: skip
    return replace(report, advice=tuple(advise(report)))


def _trial(trial: FrozenTrial, choices: Mapping[str, Choices]) -> SweepTrial:
    known = trial.value is not None and isfinite(trial.value)
    complete = trial.state is optuna.trial.TrialState.COMPLETE
    return SweepTrial(
        trial.number,
        STATES[trial.state],
        {
            key: choices[key].value_of(value) if key in choices else value
            for key, value in trial.params.items()
        },
        value=trial.value if complete and known else None,
        curve=tuple(sorted(trial.intermediate_values.items())),
        **{name: trial.user_attrs.get(name) for name in ATTRIBUTES},
    )


def _searched(
    trials: Sequence[FrozenTrial], choices: Mapping[str, Choices]
) -> Iterator[SearchedSetting]:
    """The settings that were drawn from more than one value, with the union of their ranges."""
    found: dict[str, list[BaseDistribution]] = {}
    for trial in trials:
        for key, distribution in trial.distributions.items():
            found.setdefault(key, []).append(distribution)
    for key, drawn in found.items():
        ranges = [one for one in drawn if isinstance(one, FloatDistribution | IntDistribution)]
        if all(one.single() for one in drawn):
            continue
        if key in choices:
            yield SearchedSetting(key, choices=choices[key].values)
        elif ranges:
            low, high = min(one.low for one in ranges), max(one.high for one in ranges)
            yield SearchedSetting(key, low, high, any(one.log for one in ranges))


def _repeated(trials: Sequence[SweepTrial]) -> list[Repeated]:
    """The trials whose settings also ran with other seeds."""
    found = []
    for trial in trials:
        same = [trial, *(one for one in trials if one.repeats == trial.number)]
        values = [one.value for one in same if one.value is not None]
        if trial.value is None or len(values) < 2:
            continue
        seeds = tuple(one.seed for one in same if one.value is not None)
        found.append(Repeated(trial.number, seeds, (*values,), fmean(values), stdev(values)))
    return found
