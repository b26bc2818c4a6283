"""The interface of an oracle, which shares only the forward equations with BPTT."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params

Entries = Mapping[str, Array]  # flat indices into each parameter

UNDERFLOW = 1e-270  # the noise of oracles that subtract nothing: below it their products underflow


@dataclass(frozen=True)
class Oracle:
    """A method other than BPTT to compute the gradient.

    Attributes:
        name: Its name on the command line.
        gradient: (problem, activation, reduction, entries) → the entries of the gradient that were
            asked for; NaN in others and where the method cannot know.
        tolerance: The relative error that it accepts of BPTT.
        noise: The absolute error that its rounding may cause per unit of loss.
    """

    name: str
    gradient: Callable[[Problem, Activation, str, Entries], Params]
    tolerance: float
    noise: float
