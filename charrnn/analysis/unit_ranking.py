"""Which unit follows which feature most closely."""

import numpy as np

from charrnn.analysis.units import Correlations
from charrnn.results import FeatureFollower, UnitCorrelation


def unit_name(unit: int) -> str:
    """What commands call a unit with an index from 0: "unit:17" for 16."""
    return f"unit:{unit + 1}"


class RankedUnits:
    """The correlations of a model's units, those beyond chance first.

    Args:
        names: The names of the features.
        found: Their correlations.
        hidden_size: H, the number of units of a layer.
    """

    def __init__(self, names: tuple[str, ...], found: Correlations, hidden_size: int) -> None:
        self._names, self._values, self._chance = names, found.values, found.chance
        self._H = hidden_size
        beats_chance = np.abs(found.values) > found.chance
        self._rank = np.abs(found.values) + 2 * beats_chance  # a magnitude is at most 1

    def layer(self, unit: int) -> int:
        """The layer of a unit, from 1."""
        return unit // self._H + 1

    def closest_units(self) -> list[int]:
        """All units, those that follow a feature most closely first."""
        closest = self._rank.max(axis=1, initial=0)
        return [int(unit) for unit in np.argsort(-closest, kind="stable")]

    def followed_by(self, unit: int) -> tuple[UnitCorrelation, ...]:
        """What a unit follows, the closest first."""
        order = np.argsort(-self._rank[unit], kind="stable")
        return tuple(self._correlation(unit, feature) for feature in order)

    def followers(self) -> tuple[FeatureFollower, ...]:
        """The closest unit of each feature."""
        return tuple(
            FeatureFollower(
                unit, self.layer(unit), self._correlation(unit, feature), unit_name(unit)
            )
            for feature, unit in enumerate(np.abs(self._values).argmax(axis=0).tolist())
        )

    def _correlation(self, unit: int, feature: int) -> UnitCorrelation:
        return UnitCorrelation(
            self._names[feature],
            float(self._values[unit, feature]),
            float(self._chance[feature]),
        )
