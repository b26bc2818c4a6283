"""The steps and the choice of characters for a text that is generated alone, compiled by numba."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.compiled import CompiledStepper
from charrnn.model.params import Params
from charrnn.model.rnn import Steps
from charrnn.model.workspace import Workspace
from charrnn.sampling.choice import Choose


class Single(NamedTuple):
    """What generates a single text; unlike NumPy, it warns of no overflow.

    Attributes:
        steps: Makes the network of one lane.
        choose: Chooses from its logits.
    """

    steps: Callable[[Params, Activation], Steps]
    choose: Choose


def compiled_single(temperature: float) -> Single:
    """The compiled form of `Stepper` and of `chooser` without restrictions.

    Raises:
        ImportError: numba is not installed.
    """
    return Single(CompiledStepper, compiled_chooser(temperature))


def compiled_chooser(temperature: float) -> Choose:
    """The same as `chooser` without restrictions, for one lane.

    Raises:
        ImportError: numba is not installed.
    """
    from charrnn.sampling.choice_kernel import choose

    workspace, chosen, temperature = Workspace(), np.empty(1, np.intp), float(temperature)

    def choose_one(o: Array, random: Array) -> Array:
        sums = workspace.array("sums", o.shape[1:], np.float64)
        chosen[0] = choose(o[0], temperature, random.item(), sums)
        return chosen

    return choose_one
