"""The events of a sweep, which one or several processes work on."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class TrialStarted:
    """A trial begins, or goes on.

    settings: the values that it tries, by dotted key. seed: that of the run. repeats: the trial
    whose settings it tries with another seed. resumed: whether another process began it.
    """

    number: int
    run: str
    settings: dict[str, Any]
    seed: int
    repeats: int | None = None
    resumed: bool = False


@dataclass(frozen=True)
class TrialEnded:
    """A trial is over, or saved to go on later.

    validation: the best loss in nats per character, or the last one of a trial that was pruned.
    failure: what went wrong. ended: the trials of the study that are over, of all of them. best:
    the number of the best trial, and its loss.
    """

    number: int
    outcome: Literal["complete", "pruned", "failed", "interrupted"]
    validation: float | None
    seconds: float
    failure: str | None
    ended: int
    trials: int
    best: tuple[int, float] | None


@dataclass(frozen=True)
class SweepNoted:
    """Something that the user should know."""

    note: str


SweepEvent = TrialStarted | TrialEnded | SweepNoted
