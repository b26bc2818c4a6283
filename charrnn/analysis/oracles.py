"""The interface of an oracle, which shares only the forward equations with BPTT."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params

Entries = Mapping[str, Array]  # flat indices into each parameter

UNDERFLOW = 1e-270  # the noise of oracles that subtract nothing: below it their products underflow


class Cost(NamedTuple):
    """Multiplications that a method needs for a gradient, and for each entry that is asked for."""

    fixed: float
    per_entry: float


@dataclass(frozen=True)
class Oracle:
    """A method other than BPTT to compute the gradient.

    Attributes:
        name: Its name on the command line.
        gradient: (problem, activation, reduction, entries) → the entries of the gradient that were
            asked for; NaN in others and where the method cannot know.
        tolerance: The relative error that it accepts of BPTT.
        noise: The absolute error that its rounding may cause per unit of loss.
        cost: What it costs on a problem.
    """

    name: str
    gradient: Callable[[Problem, Activation, str, Entries], Params]
    tolerance: float
    noise: float
    cost: Callable[[Problem], Cost]


def loss_products(problem: Problem) -> float:
    """The multiplications of one evaluation of the loss."""
    params, (x, *_) = problem.params, problem.window
    matrices = sum(array.size for name, array in params.named() if array.ndim == 2)
    return x.size * (matrices - params.layers[0].U.size)  # of one-hot inputs U is a lookup
