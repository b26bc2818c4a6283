"""Activations f and their derivatives, computed from h = f(a)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.arrays import Array


@dataclass(frozen=True)
class Activation:
    """An activation f and its derivative f′.

    Attributes:
        name: Its name in a config.
        apply: (a, out) → writes h = f(a) of (2) into `out`, which may be a.
        slope: (h, out) → writes f′(a) of (11), as a function of h = f(a), into `out`.
        smooth: Whether f′ exists everywhere.
        steepest: γ = max f′ of (18).
    """

    name: str
    apply: Callable[[Array, Array], Any]
    slope: Callable[[Array, Array], Any]
    smooth: bool
    steepest: float

    def slopes(self, h: Array) -> Array:
        """f′(a) in an array of its own, as a function of h = f(a)."""
        out = np.empty_like(h)
        self.slope(h, out)
        return out


def _tanh_slope(h: Array, out: Array) -> None:
    np.multiply(h, h, out=out)
    np.subtract(1, out, out=out)


def _sigmoid(a: Array, out: Array) -> None:
    # 1/(1 + exp(-a)) overflows for large -a; the tanh form never does
    np.multiply(a, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1
    out *= 0.5


def _sigmoid_slope(h: Array, out: Array) -> None:
    np.subtract(1, h, out=out)
    out *= h


def _relu(a: Array, out: Array) -> None:
    if np.iscomplexobj(a):  # the complex step differentiates along the imaginary axis
        np.multiply(a, a.real > 0, out=out)
    else:
        np.maximum(a, 0, out=out)


def _relu_slope(h: Array, out: Array) -> None:
    np.greater(h.real, 0, out=out)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("tanh", np.tanh, _tanh_slope, smooth=True, steepest=1.0),
        Activation("sigmoid", _sigmoid, _sigmoid_slope, smooth=True, steepest=0.25),
        Activation("relu", _relu, _relu_slope, smooth=False, steepest=1.0),
    )
}
