"""BPTT's backward pass with what it usually does not keep: each step's derivatives."""

from typing import NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import loss_and_logit_gradient
from charrnn.model.recurrence import backward
from charrnn.model.rnn import logits, states
from charrnn.model.workspace import Workspace


class BackwardPass(NamedTuple):
    """The derivatives of the summed loss at every step, the layers side by side (T, B, L·H).

    Attributes:
        from_above: The part of ∂L/∂h_t through the output Vᵀ do_t or the layer above Uᵀ da_t.
        from_later: The part through the next step, Wᵀ da_{t+1}; 0 at the last one.
        da: ∂L/∂a_t.
    """

    from_above: Array
    from_later: Array
    da: Array


def backward_pass(problem: Problem, activation: Activation) -> BackwardPass:
    """Computes equations (8), (10) and (11), or (23) and (24), without dropout.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.

    Returns:
        The derivatives at every step.
    """
    params, (x, y, *_), h0, _ = problem
    h = states(params, x, h0, activation)[1:]
    slopes = activation.slopes(h)
    do = loss_and_logit_gradient(logits(params, h), y)[1]
    found = BackwardPass(np.zeros_like(h), np.zeros_like(h), np.zeros_like(h))
    from_above, from_later, da = (params.by_layer(array) for array in found)
    from_above[-1] = do @ params.V
    for n in reversed(range(params.depth)):
        layer = params.layers[n]
        da[n] = backward(
            layer.W, from_above[n].copy(), params.by_layer(slopes)[n], None, Workspace()
        )
        from_later[n, :-1] = da[n, 1:] @ layer.W
        if n:
            from_above[n - 1] = da[n] @ layer.U
    return found
