"""The parts of BPTT that may be compiled, and NumPy's form of them."""

from collections.abc import Callable
from typing import NamedTuple

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.output import output_gradient
from charrnn.model.params import Layer, Params
from charrnn.model.recurrence import Forward, backward, prepare_forward
from charrnn.model.rnn import input_term
from charrnn.model.sums import input_gradient
from charrnn.model.workspace import Workspace


class Backend(NamedTuple):
    """One way to compute a window; each attribute is as the function that NUMPY has there.

    Attributes:
        input_term: U x_t + b of the first layer.
        prepare_forward: The recurrence, equations (1) and (2).
        backward: Its derivative, equations (10) and (11).
        output_gradient: The output layer, equations (3) to (9).
        input_gradient: dU of (12).
    """

    input_term: Callable[[Layer, Array, Workspace, Array], None]
    prepare_forward: Callable[[Array, Activation, int, Workspace], Forward]
    backward: Callable[[Array, Array, Array, Array | None, Workspace], Array]
    output_gradient: Callable[[Params, Array, Array, int, Params, Array, Workspace], float]
    input_gradient: Callable[[Array, Array, Array, Workspace, Array], None]


NUMPY = Backend(input_term, prepare_forward, backward, output_gradient, input_gradient)
