"""What plots and charts of a sweep show: losses by trial, by setting, and the best so far."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from charrnn.arrays import Array
from charrnn.report.ticks import linear_ticks, logarithmic_ticks
from charrnn.results import SearchedSetting, SweepReport, SweepTrial, TrialState

What = Literal["progress", "importance", "parallel", "slice"]
WHATS: tuple[What, ...] = get_args(What)
SHOWN_ABOVE = 1.5  # spreads of the better half above the best loss, up to which losses are shown
LEAST_RANGE = 0.05  # nats
APART = 0.07  # of an axis: ticks nearer to its ends are left out


class Losses(NamedTuple):
    """Trials with a loss, of one kind.

    trials: the trials, by number. nats: their losses (n,); of pruned ones, the last.
    """

    trials: tuple[SweepTrial, ...]
    nats: Array


def complete(report: SweepReport) -> Losses:
    """The complete trials with their losses, without repeats."""
    trials = tuple(sorted((report.trial(n) for n in report.best), key=lambda one: one.number))
    return Losses(trials, np.array([one.value for one in trials], np.float64))


def pruned(report: SweepReport) -> Losses:
    """The pruned trials with their last losses."""
    found = [one for one in report.trials if one.state is TrialState.PRUNED and one.curve]
    return Losses((*found,), np.array([one.curve[-1][1] for one in found], np.float64))


def best_so_far(losses: Losses) -> tuple[Array, Array]:
    """The numbers of trials (n,), and the lowest loss up to each."""
    numbers = np.array([one.number for one in losses.trials], np.float64)
    return numbers, np.minimum.accumulate(losses.nats)


def highest_shown(report: SweepReport) -> float:
    """The loss above which trials are drawn at the edge: some are worse by far."""
    nats = complete(report).nats
    if not len(nats):
        return 1.0
    least = float(nats.min())
    half = max(float(np.median(nats)) - least, LEAST_RANGE)
    return min(float(nats.max()) + 0.05 * half, least + (1 + SHOWN_ABOVE) * half)


def positions(setting: SearchedSetting, values: Sequence[Any]) -> Array:
    """Where values are on the axis of a setting: choices at 0, 1, …; numbers where they are."""
    order = setting.ordered_choices
    return np.array([order.index(value) if order else value for value in values], np.float64)


def shares(setting: SearchedSetting, values: Sequence[Any]) -> Array:
    """Where values are in the range of a setting, from 0 to 1."""
    return np.array([setting.place(value) for value in values], np.float64)


def ticks_of(setting: SearchedSetting) -> list[Any]:
    """The choices of a setting, or the ends of its range and round numbers between them."""
    if setting.choices:
        return setting.ordered_choices
    low, high = map(float, setting.ends)
    between = (logarithmic_ticks if setting.log else linear_ticks)(low, high, 5)
    if isinstance(setting.low, int):
        between = [tick for tick in between if tick.is_integer()]
    places = shares(setting, between)
    apart = [x for x, place in zip(between, places, strict=True) if APART < place < 1 - APART]
    return [low, *apart, high]


def with_setting(losses: Losses, key: str) -> Losses:
    """Those of the trials that have a setting."""
    has = [key in one.settings for one in losses.trials]
    kept = tuple(one for one in losses.trials if key in one.settings)
    return Losses(kept, losses.nats[np.array(has, bool)])
