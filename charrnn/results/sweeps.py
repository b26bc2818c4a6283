"""Results about sweeps: their trials, what the searched settings did, and repeats of the best."""

from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import Any, Literal

from charrnn.results.display import Displayed


class TrialState(StrEnum):
    """What became of a trial."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(frozen=True)
class SweepTrial:
    """A trial: settings, and the run that tried them.

    Attributes:
        number: What identifies it in its sweep, from 0 on.
        state: What became of it.
        settings: The values of the searched settings, by their dotted keys.
        value: Best validation loss of the run, in nats per character; None unless it is complete.
        curve: The number of each evaluation and its validation loss.
        train: Training loss in nats per character.
        seed: Random seed of the run.
        run: The run directory.
        seconds: Duration of the training.
        steps: Training steps made.
        failure: Why it failed; None if it did not.
        repeats: The number of the trial whose settings it tries with another seed.
    """

    number: int
    state: TrialState
    settings: dict[str, Any]
    value: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    train: float | None = None
    seed: int | None = None
    run: str | None = None
    seconds: float | None = None
    steps: int | None = None
    failure: str | None = None
    repeats: int | None = None


@dataclass(frozen=True)
class SearchedSetting:
    """A setting that a sweep varies.

    Attributes:
        key: Its dotted key.
        low: The least value; None of a list of choices.
        high: The largest value; None of a list of choices.
        log: Whether values are drawn uniformly on a logarithmic scale.
        choices: The values to choose from, if they are listed.
        importance: Its share of the importance of all settings; None if there are too few trials.
        by_chance: Whether shuffled losses give as large an importance; None if it is not known.
        best_at: The end of its range at which the best trials are; None if they are at neither.
    """

    key: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()
    importance: float | None = None
    by_chance: bool | None = None
    best_at: Literal["low", "high"] | None = None

    @property
    def ordered_choices(self) -> list[Any]:
        """The choices, from the least if they are numbers."""
        numbers = all(type(choice) in (int, float) for choice in self.choices)
        return sorted(self.choices) if numbers else [*self.choices]

    @property
    def ends(self) -> tuple[Any, Any]:
        """The ends of the range, or the first and the last choice."""
        choices = self.ordered_choices
        return (choices[0], choices[-1]) if choices else (self.low, self.high)

    def place(self, value: Any) -> float:
        """Where a value is, from 0 at the low end of the range to 1 at the high one."""
        low, high = self.ends
        if self.choices:
            choices = self.ordered_choices
            value, low, high = choices.index(value), 0, len(choices) - 1
        if self.log:
            value, low, high = log(value), log(low), log(high)
        return float((value - low) / ((high - low) or 1))


@dataclass(frozen=True)
class Repeated:
    """Complete runs of the settings of a trial, with different seeds.

    Attributes:
        trial: The number of the trial.
        seeds: The seeds, of which the first is that of the trial.
        values: The best validation loss of each, in nats per character.
        mean: Their mean.
        spread: Their standard deviation, as an estimate for all seeds.
    """

    trial: int
    seeds: tuple[int | None, ...]
    values: tuple[float, ...]
    mean: float
    spread: float


@dataclass(frozen=True)
class SweepReport(Displayed):
    """A sweep, as far as it has come.

    Attributes:
        name: Its folder, or the name of its study.
        texts: The texts that it trains on; empty for the bundled corpus.
        config: The config that its trials change, as plain values.
        trials: All trials, by number.
        settings: The searched settings; if it is known, the most important ones first.
        best: The numbers of the complete trials, the best one first. Repeats are left out. If the
            settings of several trials were repeated with other seeds, the best mean comes first.
        top: The number of trials that importance compares with all; 0 if there are too few.
        repeated: The trials that were repeated with other seeds, in the order of `best`.
        advice: What the reader should know or try, with settings in backquotes.
    """

    name: str
    texts: tuple[str, ...]
    config: dict[str, Any]
    trials: tuple[SweepTrial, ...]
    settings: tuple[SearchedSetting, ...]
    best: tuple[int, ...]
    top: int = 0
    repeated: tuple[Repeated, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The dotted keys of the searched settings."""
        return [setting.key for setting in self.settings]

    def trial(self, number: int) -> SweepTrial:
        """The trial of this number."""
        return next(trial for trial in self.trials if trial.number == number)
