"""Optimizers: `init` makes the state, `update` changes weights and state in place."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.shares import Share, whole

Slots = dict[str, Params]


@dataclass
class OptimizerState:
    """The number of updates done, and running values of the parameters' shapes."""

    count: int
    slots: Slots


# an update of some entries: (count, θ, gradient, their slots in the order of the names, learning
# rate, room for as many entries)
Rule = Callable[[int, Array, Array, list[Array], float, Array], None]


@dataclass(frozen=True)
class Optimizer:
    """A rule that treats each entry of the parameters alike, and the decay of the matrices."""

    slot_names: tuple[str, ...]
    rule: Rule
    weight_decay: float = 0.0

    def init(self, params: Params) -> OptimizerState:
        """The state before the first update: zeros."""
        return OptimizerState(0, {name: params.zeros_like() for name in self.slot_names})

    def update(
        self,
        gradient: Params,
        state: OptimizerState,
        params: Params,
        learning_rate: float,
        share: Share = whole,
    ) -> None:
        """One step, in place. The gradient is spent: a rule may write over it."""
        state.count += 1
        slots = [state.slots[name].flat for name in self.slot_names]

        def part(of: slice, workspace: Workspace) -> None:
            theta = params.flat[of]
            if self.weight_decay:
                matrices = max(params.layout.matrices_size - of.start, 0)
                theta[:matrices] *= 1 - learning_rate * self.weight_decay
            room = workspace.array("room", theta.shape, theta.dtype)
            own = [slot[of] for slot in slots]
            self.rule(state.count, theta, gradient.flat[of], own, learning_rate, room)

        share(part, params.size)


def sgd() -> Optimizer:
    """θ ← θ - lr g, equation (17)."""

    def rule(n: int, theta: Array, g: Array, slots: list[Array], lr: float, room: Array) -> None:
        g *= lr
        theta -= g

    return Optimizer((), rule)


def momentum(momentum: float) -> Optimizer:
    """m ← μ m + g, θ ← θ - lr m: the heavy ball of Polyak 1964."""

    def rule(n: int, theta: Array, g: Array, slots: list[Array], lr: float, room: Array) -> None:
        (m,) = slots
        m *= momentum
        m += g
        theta -= np.multiply(m, lr, out=g)

    return Optimizer(("m",), rule)


def adagrad(epsilon: float) -> Optimizer:
    """v ← v + g², θ ← θ - lr g / (√v + ε). Source: Duchi, Hazan & Singer 2011."""

    def rule(n: int, theta: Array, g: Array, slots: list[Array], lr: float, room: Array) -> None:
        (v,) = slots
        v += np.multiply(g, g, out=room)
        g *= lr
        theta -= _quotient(g, np.sqrt(v, out=room), epsilon)

    return Optimizer(("v",), rule)


def rmsprop(decay: float, epsilon: float) -> Optimizer:
    """v ← ρ v + (1-ρ) g², θ ← θ - lr g / (√v + ε). Source: Tieleman & Hinton 2012."""

    def rule(n: int, theta: Array, g: Array, slots: list[Array], lr: float, room: Array) -> None:
        (v,) = slots
        _average(v, np.multiply(g, g, out=room), decay)
        g *= lr
        theta -= _quotient(g, np.sqrt(v, out=room), epsilon)

    return Optimizer(("v",), rule)


def adam(beta1: float, beta2: float, epsilon: float, weight_decay: float = 0.0) -> Optimizer:
    """m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², θ ← θ - lr m̂ / (√v̂ + ε).

    m̂ and v̂ are m / (1-β₁ⁿ) and v / (1-β₂ⁿ) after n updates. With `weight_decay` λ the
    matrices, not the biases, also lose lr λ θ: AdamW.
    Source: Kingma & Ba 2015, arXiv 1412.6980; Loshchilov & Hutter 2019, arXiv 1711.05101.
    """

    def rule(n: int, theta: Array, g: Array, slots: list[Array], lr: float, room: Array) -> None:
        m, v = slots
        _average(v, np.multiply(g, g, out=room), beta2)
        _average(m, g, beta1)
        # both corrections are scalars; on the numerator's and ε's side they cost no pass
        correction = sqrt(1 - beta2**n)
        np.multiply(m, lr * correction / (1 - beta1**n), out=g)
        theta -= _quotient(g, np.sqrt(v, out=room), epsilon * correction)

    return Optimizer(("m", "v"), rule, weight_decay)


def _average(running: Array, new: Array, decay: float) -> None:
    """running ← decay · running + (1 - decay) · new; `new` is spent."""
    running *= decay
    new *= 1 - decay
    running += new


def _quotient(numerator: Array, root: Array, epsilon: float) -> Array:
    """numerator / (root + ε), over the memory of the numerator."""
    root += epsilon
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
