"""What an oracle is: the gradient by a way that shares only the forward equations with BPTT."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params

# which entries to find, as flat indices into each parameter; what is not asked for is NaN
Entries = Mapping[str, Array]

SMALLEST = 1e-270  # the noise of ways that subtract nothing: below it their products underflow


@dataclass(frozen=True)
class Oracle:
    """A way to the gradient.

    gradient(problem, activation, reduction, entries): the entries of the gradient that were
    asked for; NaN elsewhere, and wherever this way cannot know.
    tolerance: the relative error that it allows BPTT.
    noise: the absolute error that its rounding may cause per unit of loss.
    """

    name: str
    gradient: Callable[[Problem, Activation, str, Entries], Params]
    tolerance: float
    noise: float
