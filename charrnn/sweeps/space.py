"""The space of a sweep: the settings that it varies, and the values of each."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from charrnn.config.plain_yaml import dump

Number = int | float
MAX_LISTED = 100_000  # points of a space


@dataclass(frozen=True)
class Choices:
    """Values to choose from."""

    values: tuple[Any, ...]

    def suggest(self, key: str, trial: Trial) -> None:
        """Lets the sampler of a trial choose, unless it has a value."""
        trial.suggest_categorical(key, self.grid)

    @property
    def distribution(self) -> CategoricalDistribution:
        """What Optuna draws from."""
        return CategoricalDistribution(self.grid)

    @property
    def count(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def grid(self) -> list[Any]:
        """Every value, as Optuna stores it."""
        return [stored(value) for value in self.values]

    def exact(self, parameter: Any) -> Any:
        """A parameter as the grid has it."""
        return parameter

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
        one = self.distribution
        if isinstance(one, IntDistribution):
            trial.suggest_int(key, one.low, one.high, step=one.step, log=one.log)
        else:
            trial.suggest_float(key, one.low, one.high, step=one.step, log=one.log)

    @property
    def distribution(self) -> IntDistribution | FloatDistribution:
        """What Optuna draws from."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, self.log, int(self.step or 1))
        return FloatDistribution(self.low, self.high, self.log, self.step)

    @property
    def count(self) -> int | None:
        """The number of values; None if there is no step between them."""
        step = self._step
        return None if step is None else round((self.high - self.low) / step) + 1

    @property
    def grid(self) -> list[Any]:
        """Every value, of a range that has a `count`."""
        return [self._at(number) for number in range(self.count or 0)]

    def exact(self, parameter: Any) -> Any:
        """A parameter as the grid has it: Optuna rounds in its own way."""
        step = self._step
        return parameter if step is None else self._at(round((parameter - self.low) / step))

    @property
    def _step(self) -> Number | None:
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        return 1 if whole and self.step is None else self.step

    def _at(self, number: int) -> Number:
        value = self.low + number * (self._step or 0)
        if isinstance(value, int):
            return value
        return round(value, 12 - math.ceil(math.log10(max(abs(self.low), abs(self.high)))))

    def value_of(self, parameter: Any) -> Any:
        """The value that Optuna stores as this one."""
        return parameter

    def plain(self) -> dict[str, Any]:
        """As in a file."""
        ends = {"log" if self.log else "range": [self.low, self.high]}
        return ends | ({"step": self.step} if self.step is not None else {})


Space = dict[str, Choices | Range]


def size_of(space: Space) -> int | None:
    """The number of points of a space; None if a range has no step."""
    counts = [dimension.count for dimension in space.values()]
    return None if None in counts else math.prod(count or 0 for count in counts)


def points_of(space: Space) -> Iterator[dict[str, Any]]:
    """The points of a space that has a size, as Optuna stores them."""
    grids = [dimension.grid for dimension in space.values()]
    return (dict(zip(space, point, strict=True)) for point in product(*grids))


def stored(value: Any) -> Any:
    """A choice as Optuna stores it: what is not a scalar as YAML."""
    return dump(value).strip() if isinstance(value, list | dict) else value


def settings_of(space: Space, parameters: dict[str, Any]) -> dict[str, Any]:
    """The values of the settings, by their dotted keys, from the parameters of a trial."""
    return {key: dimension.value_of(parameters[key]) for key, dimension in space.items()}


def plain_space(space: Space) -> dict[str, Any]:
    """The space as plain values."""
    return {key: dimension.plain() for key, dimension in space.items()}
