"""Optimizers: `init` makes the state, `update` changes weights and state in place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.model.params import Params
from charrnn.window import Array

Slots = dict[str, Params]


@dataclass
class OptimizerState:
    """The number of updates done, and running values of the parameters' shapes."""

    count: int
    slots: Slots


# one parameter's update: (count, θ, gradient, its slots in the order of the names, learning rate)
Rule = Callable[[int, Array, Array, list[Array], float], None]


@dataclass(frozen=True)
class Optimizer:
    """A rule for one parameter, made into an update of all of them."""

    slot_names: tuple[str, ...]
    rule: Rule

    def init(self, params: Params) -> OptimizerState:
        """The state before the first update: zeros."""
        return OptimizerState(0, {name: params.zeros_like() for name in self.slot_names})

    def update(
        self, gradient: Params, state: OptimizerState, params: Params, learning_rate: float
    ) -> None:
        """One step, in place. The gradient is spent: a rule may write over it."""
        state.count += 1
        for name, theta in params.named():
            slots = [getattr(state.slots[slot], name) for slot in self.slot_names]
            self.rule(state.count, theta, getattr(gradient, name), slots, learning_rate)


def sgd() -> Optimizer:
    """θ ← θ - lr g, equation (17)."""

    def rule(count: int, theta: Array, g: Array, slots: list[Array], lr: float) -> None:
        g *= lr
        theta -= g

    return Optimizer((), rule)


def momentum(momentum: float) -> Optimizer:
    """m ← μ m + g, θ ← θ - lr m: the heavy ball of Polyak 1964."""

    def rule(count: int, theta: Array, g: Array, slots: list[Array], lr: float) -> None:
        (m,) = slots
        m *= momentum
        m += g
        theta -= np.multiply(m, lr, out=g)

    return Optimizer(("m",), rule)


def adagrad(epsilon: float) -> Optimizer:
    """v ← v + g², θ ← θ - lr g / (√v + ε). Source: Duchi, Hazan & Singer 2011."""

    def rule(count: int, theta: Array, g: Array, slots: list[Array], lr: float) -> None:
        (v,) = slots
        v += g * g
        theta -= _quotient(g, np.sqrt(v), epsilon, lr)

    return Optimizer(("v",), rule)


def rmsprop(decay: float, epsilon: float) -> Optimizer:
    """v ← ρ v + (1-ρ) g², θ ← θ - lr g / (√v + ε). Source: Tieleman & Hinton 2012."""

    def rule(count: int, theta: Array, g: Array, slots: list[Array], lr: float) -> None:
        (v,) = slots
        _average(v, g * g, decay)
        theta -= _quotient(g, np.sqrt(v), epsilon, lr)

    return Optimizer(("v",), rule)


def adam(beta1: float, beta2: float, epsilon: float, weight_decay: float = 0.0) -> Optimizer:
    """m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², θ ← θ - lr m̂ / (√v̂ + ε).

    m̂ and v̂ are m / (1-β₁ⁿ) and v / (1-β₂ⁿ) after n updates. With `weight_decay` λ the
    matrices, not the biases, also lose lr λ θ: AdamW.
    Source: Kingma & Ba 2015, arXiv 1412.6980; Loshchilov & Hutter 2019, arXiv 1711.05101.
    """

    def rule(count: int, theta: Array, g: Array, slots: list[Array], lr: float) -> None:
        m, v = slots
        square = g * g
        _average(m, g, beta1)
        _average(v, square, beta2)
        if weight_decay and theta.ndim > 1:
            theta *= 1 - lr * weight_decay
        root = np.sqrt(v, out=square)
        # both corrections are scalars; on the numerator's and ε's side they cost no pass
        correction = float(np.sqrt(1 - beta2**count))
        np.copyto(g, m)
        theta -= _quotient(g, root, epsilon * correction, lr * correction / (1 - beta1**count))

    return Optimizer(("m", "v"), rule)


def _average(running: Array, new: Array, decay: float) -> None:
    """running ← decay · running + (1 - decay) · new; `new` is spent."""
    running *= decay
    new *= 1 - decay
    running += new


def _quotient(numerator: Array, root: Array, epsilon: float, lr: float) -> Array:
    """lr · numerator / (root + ε), over the memory of the numerator."""
    root += epsilon
    numerator *= lr
    numerator /= root
    return numerator


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": sgd,
    "momentum": momentum,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adam,
}


def make_optimizer(name: str, **choices: Any) -> Optimizer:
    """The optimizer of that name: sgd, momentum, adagrad, rmsprop, adam or adamw."""
    return OPTIMIZERS[name](**choices)
