"""Local derivatives for the analytic oracles, computed from the pre-activations."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem, one_hot
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import softmax
from charrnn.model.params import Params
from charrnn.model.rnn import joint, logits, states


class Lane(NamedTuple):
    """One lane of a window; arrays count time as the equations do, from 1.

    The states of all layers stand side by side.

    Attributes:
        x: One-hot inputs (T+1, A). Entry 0 of this and all arrays but h is meaningless.
        h: States (T+1, L·H); h[0] is the state before the window.
        D: Diagonal of D_t = diag f′(a_t), (T+1, L·H).
        M: Dropout's factors m / (1 - p) of (26) for what goes up (T+1, L·H); 1 without dropout.
        do: ∂L/∂o_t (T+1, A), divided as the loss is.
        y: One-hot targets (T+1, A), zero where there is no target.
    """

    x: Array
    h: Array
    D: Array
    M: Array
    do: Array
    y: Array


def _cosh(a: Array) -> Array:
    bounded: Array = np.cosh(np.clip(a, -300, 300))  # its square is finite, and f′ has vanished
    return bounded


# f′(a) computed from a; the backward pass computes it from f(a)
SLOPES: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda a: 1 / _cosh(a) ** 2,
    "sigmoid": lambda a: 0.25 / _cosh(0.5 * a) ** 2,
    "relu": lambda a: (a > 0).astype(a.dtype),
}


def lanes(problem: Problem, activation: Activation, divisor: int) -> list[Lane]:
    """Runs the forward pass (1)-(4) and computes D_t of (11) and do_t of (8).

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f; its name has to be in SLOPES.
        divisor: Divisor of the summed loss.

    Returns:
        States and derivatives of each lane.

    Raises:
        KeyError: The activation is not in SLOPES.
    """
    params, (x, y, *_), h0, mask = problem
    T, B = x.shape
    A = params.alphabet_size
    h = states(params, x, h0, activation, mask=mask)
    up = np.ones_like(h)
    if mask is not None:
        up[1:] = joint(mask)
    probabilities = softmax(logits(params, (h * up)[1:]))
    result = []
    for lane in range(B):
        inputs = one_hot(np.append(0, x[:, lane]), A)
        counted = y[:, lane, None] >= 0
        targets = np.zeros((T + 1, A))
        targets[1:] = one_hot(y[:, lane], A) * counted
        do = np.zeros_like(targets)
        do[1:] = (probabilities[:, lane] - targets[1:]) * counted / divisor
        D = SLOPES[activation.name](pre_activations(params, inputs, h[:, lane], up[:, lane]))
        result.append(Lane(inputs, h[:, lane], D, up[:, lane], do, targets))
    return result


def pre_activations(params: Params, x: Array, h: Array, M: Array) -> Array:
    """a_t of all layers (T+1, L·H), equation (22), from the states of a lane."""
    before = np.concatenate([h[:1], h[:-1]])
    a = np.empty_like(h)
    inputs = [x, *params.by_layer(h * M)[:-1]]
    for layer, below, own_before, own in zip(
        params.layers, inputs, params.by_layer(before), params.by_layer(a), strict=True
    ):
        own[...] = below @ layer.U.T + own_before @ layer.W.T
        if layer.b is not None:
            own += layer.b
    return a


def inputs_of(params: Params, lane: Lane, t: int) -> list[Array]:
    """What U of each layer multiplies at step t: x_t, and the states of the layers below."""
    return [lane.x[t], *params.by_layer(lane.h[t] * lane.M[t])[:-1]]


def state_gradient(params: Params, lane: Lane, t: int) -> Array:
    """∂L_t/∂s_t (L·H) through the output: Vᵀ do_t for the top layer, 0 for the others."""
    gradient = np.zeros(params.state_size)
    params.by_layer(gradient)[-1][...] = params.V.T @ lane.do[t]
    gradient *= lane.M[t]
    return gradient


def within_step(params: Params, lane: Lane, k: int) -> Array:
    """∂s_k/∂h_k^l of all layers l (L·H, L·H): a layer moves those above it in the same step.

    Block (m, l) is the identity for m = l, and D_k^m U^m ∂h_k^{m-1}/∂h_k^l for m > l.
    """
    H, L = params.hidden_size, params.depth
    S = np.eye(params.state_size).reshape(L, H, L * H)
    D, M = (array[k].reshape(L, H) for array in (lane.D, lane.M))
    for m in range(1, L):
        S[m] += D[m][:, None] * (params.layers[m].U @ (M[m - 1][:, None] * S[m - 1]))
    return S.reshape(L * H, L * H)


def over_step(params: Params, lane: Lane, t: int) -> Array:
    """J_t = ∂s_t/∂s_{t-1} (L·H, L·H), equation (25): D_t W for a single layer."""
    H, L = params.hidden_size, params.depth
    J = np.zeros((L, H, L, H))
    D, M = (array[t].reshape(L, H) for array in (lane.D, lane.M))
    for m, layer in enumerate(params.layers):
        J[m, :, m] = layer.W
        if m:
            below = M[m - 1][:, None] * J[m - 1].reshape(H, L * H)
            J[m] += (layer.U @ below).reshape(H, L, H)
        J[m] *= D[m][:, None, None]
    return J.reshape(L * H, L * H)


def jacobian_products(problem: Problem) -> float:
    """About how many multiplications it takes to compute J_t and `within_step` at every step."""
    params = problem.params
    H, L, size = params.hidden_size, params.depth, params.state_size
    passes = 20  # over a matrix of this size, bound by memory
    return problem.window.x.size * (passes * size**2 + 2 * (L - 1) * H * H * size)
