"""The gradient of the double sum with one slip in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from charrnn.analysis.problems import Problem, one_hot
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import softmax
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states


@dataclass(frozen=True)
class Rules:
    """The parts of (8), (9), (13) and (14) that a slip replaces; by default what holds.

    Attributes:
        logit_gradient: (ŷ, y) (T, A) → do (T, A).
        into_state: (ŷ, y, do, V) → what (13) is applied to (T, H): Vᵀ do_t.
        step_back: (∂L/∂h_k, f′(a_k), W) → ∂L/∂h_{k-1} (n, H), for n losses.
        weight: The factor of the terms of a lag.
        first_lag: The first lag whose terms are added.
        factors: (h_{k-1}, x_k) → what stands after ⊗ for W, U and b.
        scale: T → the factor of all gradients.
    """

    logit_gradient: Callable[[Array, Array], Array] = lambda p, y: p - y
    into_state: Callable[[Array, Array, Array, Array], Array] = lambda p, y, do, V: do @ V
    step_back: Callable[[Array, Array, Array], Array] = lambda dh, slope, W: (slope * dh) @ W
    weight: Callable[[int], int] = lambda lag: 1
    first_lag: int = 0
    factors: Callable[[Array, Array], tuple[Array, Array, Array]] = lambda h, x: (
        h,
        x,
        np.ones((len(h), 1)),
    )
    scale: Callable[[int], float] = lambda T: 1.0


@dataclass(frozen=True)
class Slip:
    """A mistake in a derivation of this network's gradient.

    Attributes:
        name: What docs/equations.md and `explain` call it.
        says: What the mistaken derivation does.
        rules: The formulas with the mistake.
    """

    name: str
    says: str
    rules: Rules = field(default_factory=Rules)


SLIPS = (
    Slip("diagonal", "∂ŷ_i/∂o_j for i = j only", Rules(logit_gradient=lambda p, y: -y * (1 - p))),
    Slip("sign", "y - ŷ for ŷ - y", Rules(logit_gradient=lambda p, y: y - p)),
    Slip("skipped", "∂ŷ/∂h = Vᵀ, no softmax", Rules(into_state=lambda p, y, do, V: -(y / p) @ V)),
    Slip(
        "transpose",
        "W for Wᵀ, going back",
        Rules(step_back=lambda dh, slope, W: (slope * dh) @ W.T),
    ),
    Slip("placing", "W D_j for D_j W", Rules(step_back=lambda dh, slope, W: slope * (dh @ W))),
    Slip(
        "scalars",
        "∂h_j/∂h_{j-1} by unit",
        Rules(step_back=lambda dh, slope, W: slope * dh * np.diag(W)),
    ),
    Slip("star", "∂h_k/∂W without the star", Rules(weight=lambda lag: lag + 1)),
    Slip("limits", "k = 0 … t-1 for 1 … t", Rules(first_lag=1)),
    Slip(
        "heading-b",
        "db's formula for dW",
        Rules(factors=lambda h, x: (np.ones_like(h), x, np.ones((len(h), 1)))),
    ),
    Slip(
        "heading-U", "dW's formula for dU", Rules(factors=lambda h, x: (h, h, np.ones((len(h), 1))))
    ),
    Slip("mean", "scaled by 1/T", Rules(scale=lambda T: 1 / T)),
)


def slipped_gradient(problem: Problem, activation: Activation, rules: Rules) -> Params:
    """The gradient of the summed loss by (14) with other rules, all losses of a lag at once.

    Args:
        problem: Weights, window and initial state of one lane and one layer.
        activation: The activation f.
        rules: The formulas; with the default ones it is the gradient.

    Returns:
        The gradient by these rules.

    Raises:
        ValueError: They give a matrix of another shape than the weights.
    """
    params, (x, y, *_), h0, _ = problem
    T, A = len(x), params.alphabet_size
    h = states(params, x, h0, activation)[:, 0]
    slopes = activation.slopes(h)
    p, inputs, targets = (
        softmax(logits(params, h[1:])),
        one_hot(x[:, 0], A),
        one_hot(y[:, 0], A),
    )
    do = rules.logit_gradient(p, targets)
    g = params.zeros_like()
    g.V[...] = do.T @ h[1:]  # (9)
    if g.c is not None:
        g.c[...] = do.sum(axis=0)
    of_W, of_U, of_b = rules.factors(h[:-1], inputs)
    if (of_W.shape[1], of_U.shape[1]) != (params.W.shape[1], params.U.shape[1]):
        raise ValueError("a factor does not have the length of a row of its matrix")
    dh = rules.into_state(p, targets, do, params.V)
    for lag in range(T):
        k = slice(0, T - lag)  # of h_{k-1} and x_k
        slope = slopes[1:][k]
        if lag >= rules.first_lag:
            brackets = rules.weight(lag) * slope * dh
            g.W[...] += brackets.T @ of_W[k]
            g.U[...] += brackets.T @ of_U[k]
            if g.b is not None:
                g.b[...] += (brackets.T @ of_b[k])[:, 0]
        dh = rules.step_back(dh, slope, params.W)[1:]
    return g.map(lambda flat: flat * rules.scale(T))
