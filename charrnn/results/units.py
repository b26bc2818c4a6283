"""What the hidden units of a model follow in a text."""

from dataclasses import dataclass

from charrnn.arrays import Array
from charrnn.results.display import Displayed


@dataclass(frozen=True)
class UnitCorrelation:
    """How closely a unit follows a feature of the text.

    Attributes:
        feature: The feature, such as "inside double quotes".
        correlation: Pearson's correlation of the unit's state with the feature, from -1 to 1.
        chance: The largest magnitude that any unit reached by chance, with the feature shifted
            along the text.
    """

    feature: str
    correlation: float
    chance: float

    @property
    def significant(self) -> bool:
        """Whether the unit follows the feature more closely than by chance."""
        return abs(self.correlation) > self.chance


@dataclass(frozen=True)
class FeatureFollower:
    """The unit that follows a feature most closely.

    Attributes:
        unit: Its index, in the state with the layers side by side, from 0.
        layer: Its layer, from 1.
        found: The feature, and how closely it is followed.
        name: What `eval --show` calls the unit, with its number from 1: "unit:17".
    """

    unit: int
    layer: int
    found: UnitCorrelation
    name: str


@dataclass(frozen=True)
class UnitReport(Displayed):
    """The units of a model on a text, those that follow a feature most closely first.

    Attributes:
        text: A passage of the text, its first N characters.
        units: The indices of the units, in the state with the layers side by side, from 0.
        layers: The layer of each of these units, from 1.
        names: What `eval --show` calls each, with its number from 1: "unit:17".
        features: What each follows, the closest first, after those that beat chance the others.
        states: The state of each of these units after each character of the passage (N, units).
        lowest: The least value that the activation takes, -1, 0 or the least state of a ReLU.
        highest: The greatest value, 1 or the greatest state of a ReLU.
        characters: The number of characters of the text that were compared.
        depth: The number of layers of the model.
        state_size: The number of units of all layers.
        followers: For each feature of the text the unit that follows it most closely.
        omitted: Features that do not vary in the text, or that equal another one.
    """

    text: str
    units: tuple[int, ...]
    layers: tuple[int, ...]
    names: tuple[str, ...]
    features: tuple[tuple[UnitCorrelation, ...], ...]
    states: Array
    lowest: float
    highest: float
    characters: int
    depth: int
    state_size: int
    followers: tuple[FeatureFollower, ...]
    omitted: tuple[str, ...]
