"""The space of a sweep: the settings that it varies, and the values of each."""

import math
from dataclasses import dataclass
from typing import Any

from optuna.trial import Trial

from charrnn.config.plain_yaml import dump

Number = int | float


@dataclass(frozen=True)
class Choices:
    """Values to choose from."""

    values: tuple[Any, ...]

    def suggest(self, key: str, trial: Trial) -> None:
        """Lets the sampler of a trial choose, unless it has a value."""
        trial.suggest_categorical(key, self.grid)

    @property
    def grid(self) -> list[Any]:
        """Every value, as Optuna stores it."""
        return [stored(value) for value in self.values]

    def value_of(self, parameter: Any) -> Any:
        """The value that Optuna stores as this one."""
        return next(value for value in self.values if stored(value) == parameter)

    def plain(self) -> dict[str, Any]:
        """As in a file."""
        return {"choices": [*self.values]}


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; integers if both are.

    log: whether they are uniform on a logarithmic scale. step: between two of them; None for any.
    """

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None

    def suggest(self, key: str, trial: Trial) -> None:
        """Lets the sampler of a trial choose, unless it has a value."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            trial.suggest_int(key, self.low, self.high, step=int(self.step or 1), log=self.log)
        else:
            trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

    @property
    def grid(self) -> list[Any] | None:
        """Every value; None if there is no step between them."""
        if self.step is None:
            return None
        count = round((self.high - self.low) / self.step)
        digits = 12 - math.ceil(math.log10(max(abs(self.low), abs(self.high))))
        return [
            value if isinstance(value, int) else round(value, digits)
            for value in (self.low + n * self.step for n in range(count + 1))
        ]

    def value_of(self, parameter: Any) -> Any:
        """The value that Optuna stores as this one."""
        return parameter

    def plain(self) -> dict[str, Any]:
        """As in a file."""
        ends = {"log" if self.log else "range": [self.low, self.high]}
        return ends | ({"step": self.step} if self.step is not None else {})


Space = dict[str, Choices | Range]


def stored(value: Any) -> Any:
    """A choice as Optuna stores it: what is not a scalar as YAML."""
    return dump(value).strip() if isinstance(value, list | dict) else value


def settings_of(space: Space, parameters: dict[str, Any]) -> dict[str, Any]:
    """The values of the settings, by their dotted keys, from the parameters of a trial."""
    return {key: dimension.value_of(parameters[key]) for key, dimension in space.items()}


def plain_space(space: Space) -> dict[str, Any]:
    """The space as plain values."""
    return {key: dimension.plain() for key, dimension in space.items()}
