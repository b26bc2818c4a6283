"""The network and the string that an explanation is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from charrnn.analysis.jacobians import Lane, lanes
from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import bptt
from charrnn.model.params import Layer, Params
from charrnn.model.rnn import logits
from charrnn.results import Columns, Matrix
from charrnn.wording import activation_name

MAX_UNITS, MAX_CHARACTERS = 4, 10  # shown side by side
STEP_AND_INPUT = "step t and the character x_t that is read"


@dataclass(frozen=True)
class Example:
    """A network that reads one string, from the zero state, with the summed loss.

    Attributes:
        problem: Weights and a window of one lane, in float64.
        activation: The activation f.
        text: The string of T + 1 characters.
        alphabet: The characters of ids 0, 1, …
        layer: The number of the layer to show, from 1.
        step: The step to show in detail, from 1 to T.
        reach: k2 of (19), how many steps truncated BPTT goes back.
        stride: k1 of (19), every how many steps it does.
        seed: Random seed.
    """

    problem: Problem
    activation: Activation
    text: str
    alphabet: str
    layer: int
    step: int
    reach: int
    stride: int
    seed: int

    @property
    def params(self) -> Params:
        """The weights."""
        return self.problem.params

    @property
    def weights(self) -> Layer:
        """The weights of the layer that is shown."""
        return self.params.layers[self.layer - 1]

    @property
    def steps(self) -> int:
        """T."""
        return len(self.problem.window.x)

    @cached_property
    def lane(self) -> Lane:
        """States and local derivatives of every step."""
        (lane,) = lanes(self.problem, self.activation, 1)
        return lane

    @cached_property
    def o(self) -> Array:
        """Logits (T+1, A); entry 0 is meaningless."""
        return logits(self.params, self.lane.h)

    @cached_property
    def bptt(self) -> tuple[float, Params]:
        """The summed loss, and its gradient by BPTT."""
        loss, gradient, _ = bptt(*self.problem[:3], self.activation, "sum")
        return loss, gradient

    def own(self, joint: Array) -> Array:
        """The part (..., H) of joint states (..., L·H) that belongs to the layer that is shown."""
        part: Array = self.params.by_layer(joint)[self.layer - 1]
        return part

    @cached_property
    def sigma(self) -> float:
        """σ₁(W) of the layer that is shown."""
        return float(np.linalg.norm(self.weights.W, 2))

    @property
    def contraction(self) -> float:
        """γσ₁ of (18)."""
        return self.activation.steepest * self.sigma

    @property
    def squared_norm(self) -> float:
        """‖∂L/∂θ‖² of all parameters: the slope of the loss along -∂L/∂θ, but for its sign."""
        gradient = self.bptt[1].flat
        return float(gradient @ gradient)

    def by_unit(self, heading: str, values: Array) -> Columns:
        """A column of a table for each unit that is shown, of values (n, H)."""
        return {
            heading.format(name): values[:, unit].tolist()
            for unit, name in zip(self.units, self.unit_names, strict=True)
        }

    def over_time(self, name: str, title: str, values: Array) -> Matrix:
        """A picture of values (T, H) of the units that are shown, step by step."""
        return Matrix(
            name,
            f"{title}{self.units_note}",
            values[:, self.units],
            self.labels,
            self.unit_names,
            STEP_AND_INPUT,
            "unit",
            shown="picture",
        )

    def name(self, parameter: str) -> str:
        """The name of U, W or b in the layer that is shown."""
        return parameter + self.params.layout.suffixes[self.layer - 1]

    @property
    def units(self) -> list[int]:
        """The units to show, from 0: as many as fit side by side."""
        return list(range(min(self.params.hidden_size, MAX_UNITS)))

    @cached_property
    def shown(self) -> list[int]:
        """The ids to show: as many as fit side by side, those that occur in the text first."""
        occurring = dict.fromkeys(map(self.alphabet.index, self.text))
        ids = [*occurring, *(id for id in range(len(self.alphabet)) if id not in occurring)]
        return sorted(ids[:MAX_CHARACTERS])

    @property
    def characters(self) -> tuple[str, ...]:
        """The characters of the shown ids."""
        return tuple(self.alphabet[id] for id in self.shown)

    def input_at(self, t: int) -> str:
        """The character that is read at step t."""
        return self.text[t - 1]

    def target_at(self, t: int) -> str:
        """The character to predict at step t."""
        return self.text[t]

    @property
    def labels(self) -> tuple[str, ...]:
        """The number of each step, and the character that is read there."""
        return tuple(f"{t} {self.input_at(t)}" for t in range(1, self.steps + 1))

    @property
    def unit_names(self) -> tuple[str, ...]:
        """The numbers of the units that are shown."""
        return tuple(f"{unit + 1}" for unit in self.units)

    @property
    def units_note(self) -> str:
        """Says which units are shown, if it is not all of them."""
        H = self.params.hidden_size
        return f", units 1 to {len(self.units)} of {H}" if len(self.units) < H else ""

    @property
    def f(self) -> str:
        """What formulas call the activation."""
        return activation_name(self.activation.name)


def norms(arrays: Iterable[Array]) -> list[float]:
    """The norm of each array."""
    return [float(np.linalg.norm(array)) for array in arrays]


def relative_difference(a: Array, b: Array) -> float:
    """The largest difference of two arrays, relative to the largest entry of the second."""
    largest = float(np.abs(b).max())
    difference = float(np.abs(a - b).max())
    return difference / largest if largest else difference
