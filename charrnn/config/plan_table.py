"""The table of configs/plan.yaml: what is chosen for a text and a budget."""

from functools import cache
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from charrnn.config.layers import read_mapping
from charrnn.config.values import Fraction, Number, Positive
from charrnn.system.resources import plan_path


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Ascending = Annotated[list[Positive], Field(min_length=1)]
Range = tuple[Positive, Positive]
Powers = dict[str, Number]


class Row(_Part):
    """What is chosen for texts of one length; a list has an entry per column of the table.

    Attributes:
        characters: The length of the training text.
        usual_work: The work of a run without a limit.
        optimizer: Whose learning rates and decays these are; between two rows, that of the nearest.
        weights: The size of the network.
        passes: The most passes over the text.
    """

    characters: Positive
    usual_work: Positive
    optimizer: str
    weights: list[Positive]
    layers: list[Positive]
    batch_size: list[Positive]
    learning_rate: list[Positive]
    weight_decay: list[Annotated[Number, Field(ge=0)]]
    dropout: list[Fraction]
    passes: list[Positive]


class AdjustingPowers(_Part):
    """The powers of ratios of what is used to what the table has."""

    learning_rate: Powers
    dropout: Powers
    passes: Powers


class Speed(_Part):
    """The speed of training.

    Attributes:
        work_per_second: Roughly, weights times characters.
        seconds_per_layer: Of a step, for each layer.
        seconds_per_weight: For each weight and character.
        seconds_per_cube: Of a step with muon, for H³ of each matrix between units.
    """

    work_per_second: Positive
    seconds_per_layer: Positive
    seconds_per_weight: Positive
    seconds_per_cube: Positive


class Sure(_Part):
    """Where the table was fitted; `ratio` bounds those of weights and batch sizes."""

    characters: Range
    work: Range
    ratio: Positive
    settings: dict[str, str]


class PlanTable(_Part):
    """The table.

    Attributes:
        work: The columns: weights times the characters that they are trained on.
        texts: The rows.
        activation: Of the units.
        initialization: How W begins with it, by the number of layers; the last is of more, too.
        schedule: What the learning rate does.
        averaging: The fraction of the steps so far whose weights are averaged.
        on_divergence: What a run does that diverges.
        powers: How values follow from what is given.
        trained_weights: The factor of the learning rate if weights are trained already.
        two_cores: The speed of an ordinary machine with two cores.
        sure: Where the table was fitted.
    """

    work: Ascending
    texts: Annotated[list[Row], Field(min_length=1)]
    activation: str
    initialization: Annotated[list[dict[str, str | float]], Field(min_length=1)]
    schedule: str
    averaging: Fraction
    on_divergence: str
    powers: AdjustingPowers
    trained_weights: Positive
    two_cores: Speed
    sure: Sure

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        lengths = [row.characters for row in self.texts]
        if sorted(set(lengths)) != lengths or sorted(set(self.work)) != self.work:
            raise ValueError("texts and work should ascend")
        for row in self.texts:
            for name, values in row:
                if isinstance(values, list) and len(values) != len(self.work):
                    raise ValueError(f"{name} should have {len(self.work)} values")
        return self


@cache
def plan_table() -> PlanTable:
    """The table that the program uses."""
    return PlanTable.model_validate(read_mapping(plan_path()))
