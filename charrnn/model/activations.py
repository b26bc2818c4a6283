"""The hidden activation f and its derivative, written in terms of h = f(a)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from charrnn.window import Array


@dataclass(frozen=True)
class Activation:
    """f and the product with f′.

    apply(a): overwrites a with h = f(a), equation (2).
    backward(h, d): overwrites d with f′(a) ∘ d, equation (11); all three f′ are functions of h.
    smooth: whether f′ exists everywhere. steepest: γ = max f′ of (18).
    """

    name: str
    apply: Callable[[Array], None]
    backward: Callable[[Array, Array], None]
    smooth: bool
    steepest: float


def _tanh(a: Array) -> None:
    np.tanh(a, out=a)


def _tanh_backward(h: Array, d: Array) -> None:
    # d - h²d needs one temporary less than (1 - h²)d
    correction = h * h
    correction *= d
    d -= correction


def _sigmoid(a: Array) -> None:
    # 1/(1 + exp(-a)) overflows for large -a; the tanh form never does
    a *= 0.5
    np.tanh(a, out=a)
    a += 1
    a *= 0.5


def _sigmoid_backward(h: Array, d: Array) -> None:
    d *= h
    d *= 1 - h


def _relu(a: Array) -> None:
    a *= a.real > 0  # real: the complex step differentiates along the imaginary axis


def _relu_backward(h: Array, d: Array) -> None:
    d *= h.real > 0


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("tanh", _tanh, _tanh_backward, smooth=True, steepest=1.0),
        Activation("sigmoid", _sigmoid, _sigmoid_backward, smooth=True, steepest=0.25),
        Activation("relu", _relu, _relu_backward, smooth=False, steepest=1.0),
    )
}
