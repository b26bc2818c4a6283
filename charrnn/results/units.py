"""What the hidden units of a model follow in a text."""

from dataclasses import dataclass

from charrnn.arrays import Array


@dataclass(frozen=True)
class UnitCorrelation:
    """How closely a unit follows a feature of the text.

    Attributes:
        feature: The feature, such as "inside quotes".
        correlation: Pearson's correlation of the unit's state with the feature, from -1 to 1.
    """

    feature: str
    correlation: float


@dataclass(frozen=True)
class UnitReport:
    """The units of a model on a text, those that follow a feature most closely first.

    Attributes:
        text: The text, N characters.
        units: The numbers of the units, in the state with the layers side by side, from 0.
        layers: The layer of each of these units, from 1.
        features: What each follows, the closest first.
        states: The state of each of these units after each character (N, units).
        lowest: The least value that the activation takes, -1, 0 or the least state of a ReLU.
        highest: The greatest value, 1 or the greatest state of a ReLU.
    """

    text: str
    units: tuple[int, ...]
    layers: tuple[int, ...]
    features: tuple[tuple[UnitCorrelation, ...], ...]
    states: Array
    lowest: float
    highest: float
