"""Optimizers: `init` makes the state, `update` changes weights and state in place."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod, sqrt
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.orthogonal import orthogonalize
from charrnn.optim.slicing import ForEachSlice, in_one_slice

Slots = dict[str, Params]

AVERAGE = "average"  # the slot of the running average of the weights


@dataclass
class OptimizerState:
    """State of an optimizer.

    Attributes:
        count: Number of updates made.
        slots: Running averages in the layout of the parameters, by name.
    """

    count: int
    slots: Slots

    def averaged(self, params: Params) -> Params:
        """The running average of the weights; the weights themselves if none is kept."""
        return self.slots.get(AVERAGE, params)


# An update in place: (count, θ, gradient, slots in the order of their names, learning rate, a
# workspace). All arrays have the same shape; the gradient may be overwritten too.
Rule = Callable[[int, Array, Array, list[Array], float, Workspace], None]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer that updates each entry by itself, or the matrices between units as a whole.

    Attributes:
        slot_names: Names of the running averages that it keeps.
        rule: The update of any entries (N,).
        matrix_rule: The update of whole matrices (N, H, H) between units, which are each W, and U
            of the upper layers; None for that of their entries.
        weight_decay: λ, by which matrices, not biases, also lose lr λ θ in an update.
        averaging: α, with which θ̄ ← θ̄ + (θ - θ̄) / (1 + α n) after n updates: an average over about
            the last α n of them. 0 keeps no average.

    Reference:
        Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; for a
        window that grows with the run Karras et al. 2024, "Analyzing and improving the training
        dynamics of diffusion models", arXiv 2312.02696.
    """

    slot_names: tuple[str, ...]
    rule: Rule
    matrix_rule: Rule | None = None
    weight_decay: float = 0.0
    averaging: float = 0.0

    @property
    def state_names(self) -> list[str]:
        """The names of all slots of its state."""
        return [*self.slot_names, *([AVERAGE] if self.averaging else [])]

    def init(self, params: Params) -> OptimizerState:
        """The state before the first update: zeros, and the weights as their own average."""
        slots = {name: params.zeros_like() for name in self.slot_names}
        if self.averaging:
            slots[AVERAGE] = params.map(np.copy)
        return OptimizerState(0, slots)

    def update(
        self,
        gradient: Params,
        state: OptimizerState,
        params: Params,
        learning_rate: float,
        for_each_slice: ForEachSlice = in_one_slice,
    ) -> None:
        """Makes one update in place.

        Args:
            gradient: The gradient, which may be overwritten.
            state: The optimizer's state.
            params: The weights.
            learning_rate: lr.
            for_each_slice: Runs the work on slices of the flat arrays.
        """
        state.count += 1
        slots = [state.slots[name].flat for name in self.slot_names]
        layout = params.layout

        def update(start: int, stop: int, rule: Rule, *matrix: int) -> None:
            def update_slice(part: slice, workspace: Workspace) -> None:
                entries = slice(start + part.start, start + part.stop)
                if self.weight_decay:
                    matrices = max(layout.matrices_size - entries.start, 0)
                    params.flat[entries][:matrices] *= 1 - learning_rate * self.weight_decay
                theta, g, *of_slice = (
                    array[entries].reshape(-1, *matrix)
                    for array in (params.flat, gradient.flat, *slots)
                )
                rule(state.count, theta, g, of_slice, learning_rate, workspace)
                if self.averaging:
                    average = state.slots[AVERAGE].flat[entries].reshape(theta.shape)
                    change = np.subtract(theta, average, out=g)
                    change /= 1 + self.averaging * state.count
                    average += change

            for_each_slice(update_slice, stop - start, prod(matrix))

        if self.matrix_rule is None:
            return update(0, layout.size, self.rule)
        square, H = layout.between_units, params.hidden_size
        update(0, square.start, self.rule)
        update(square.start, square.stop, self.matrix_rule, H, H)
        update(square.stop, layout.size, self.rule)


def sgd() -> Optimizer:
    """Stochastic gradient descent, θ ← θ - lr g, equation (17)."""

    def rule(
        n: int, theta: Array, g: Array, slots: list[Array], lr: float, workspace: Workspace
    ) -> None:
        g *= lr
        theta -= g

    return Optimizer((), rule)


def momentum(momentum: float) -> Optimizer:
    """Gradient descent with momentum, m ← μ m + g, θ ← θ - lr m.

    Args:
        momentum: μ.

    Returns:
        The optimizer.

    Reference:
        Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    """

    def rule(
        n: int, theta: Array, g: Array, slots: list[Array], lr: float, workspace: Workspace
    ) -> None:
        (m,) = slots
        m *= momentum
        m += g
        theta -= np.multiply(m, lr, out=g)

    return Optimizer(("m",), rule)


def adagrad(epsilon: float) -> Optimizer:
    """Adagrad, v ← v + g², θ ← θ - lr g / (√v + ε).

    Args:
        epsilon: ε.

    Returns:
        The optimizer.

    Reference:
        Duchi, Hazan & Singer 2011, "Adaptive subgradient methods for online learning and stochastic
        optimization", JMLR 12.
    """

    def rule(
        n: int, theta: Array, g: Array, slots: list[Array], lr: float, workspace: Workspace
    ) -> None:
        (v,) = slots
        v += _square(g, workspace)
        g *= lr
        theta -= _quotient(g, v, workspace, epsilon)

    return Optimizer(("v",), rule)


def rmsprop(decay: float, epsilon: float) -> Optimizer:
    """RMSprop, v ← ρ v + (1-ρ) g², θ ← θ - lr g / (√v + ε).

    Args:
        decay: ρ.
        epsilon: ε.

    Returns:
        The optimizer.

    Reference:
        Tieleman & Hinton 2012, "Lecture 6.5: RMSprop", Neural Networks for Machine Learning.
    """

    def rule(
        n: int, theta: Array, g: Array, slots: list[Array], lr: float, workspace: Workspace
    ) -> None:
        (v,) = slots
        _average(v, _square(g, workspace), decay)
        g *= lr
        theta -= _quotient(g, v, workspace, epsilon)

    return Optimizer(("v",), rule)


def adam(beta1: float, beta2: float, epsilon: float, weight_decay: float = 0.0) -> Optimizer:
    """Adam, m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², θ ← θ - lr m̂ / (√v̂ + ε).

    m̂ and v̂ are m / (1-β₁ⁿ) and v / (1-β₂ⁿ) after n updates.

    Args:
        beta1: β₁.
        beta2: β₂.
        epsilon: ε.
        weight_decay: λ; above 0 this is AdamW.

    Returns:
        The optimizer.

    Reference:
        Kingma & Ba 2015, "Adam: a method for stochastic optimization", arXiv 1412.6980; Loshchilov
        & Hutter 2019, "Decoupled weight decay regularization", arXiv 1711.05101.
    """

    def rule(
        n: int, theta: Array, g: Array, slots: list[Array], lr: float, workspace: Workspace
    ) -> None:
        m, v = slots
        _average(v, _square(g, workspace), beta2)
        _average(m, g, beta1)
        # both corrections are scalars; on the numerator's and ε's side they cost no pass
        correction = sqrt(1 - beta2**n)
        np.multiply(m, lr * correction / (1 - beta1**n), out=g)
        theta -= _quotient(g, v, workspace, epsilon * correction)

    return Optimizer(("m", "v"), rule, weight_decay=weight_decay)


def muon(beta1: float, beta2: float, epsilon: float, weight_decay: float) -> Optimizer:
    """Muon for the matrices between units, AdamW for the other weights.

    m ← β₁ m + (1-β₁) g, θ ← θ - 0.2 √H lr O, where O is roughly the orthogonal matrix nearest to m.
    An update has the same size in all directions, so that it also learns along those in which
    gradients are small. The factor makes it about as large as one of AdamW.

    Args:
        beta1: β₁.
        beta2: β₂, of AdamW.
        epsilon: ε, of AdamW.
        weight_decay: λ.

    Returns:
        The optimizer.

    Reference:
        Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; its factor is
        that of Liu et al. 2025, "Muon is scalable for LLM training", arXiv 2502.16982.
    """

    def matrix_rule(
        n: int, theta: Array, g: Array, slots: list[Array], lr: float, workspace: Workspace
    ) -> None:
        m, _ = slots
        _average(m, g, beta1)
        g[...] = m
        for matrix in g:
            orthogonalize(matrix, workspace)
        g *= 0.2 * sqrt(theta.shape[-1]) * lr
        theta -= g

    return replace(adam(beta1, beta2, epsilon, weight_decay), matrix_rule=matrix_rule)


def _average(running: Array, new: Array, decay: float) -> None:
    """running ← decay · running + (1 - decay) · new; `new` is overwritten."""
    running *= decay
    new *= 1 - decay
    running += new


def _square(g: Array, workspace: Workspace) -> Array:
    """g², in the memory of the workspace."""
    return np.multiply(g, g, out=workspace.array("scratch", g.shape, g.dtype))


def _quotient(numerator: Array, squares: Array, workspace: Workspace, epsilon: float) -> Array:
    """numerator / (√squares + ε), in the memory of the numerator."""
    root = np.sqrt(squares, out=workspace.array("scratch", squares.shape, squares.dtype))
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
    "muon": muon,
}


def make_optimizer(name: str, averaging: float = 0.0, **arguments: Any) -> Optimizer:
    """Makes the optimizer of that name.

    Args:
        name: "sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw" or "muon".
        averaging: α of `Optimizer`.
        **arguments: Those of the optimizer.

    Returns:
        The optimizer.
    """
    return replace(OPTIMIZERS[name](**arguments), averaging=averaging)
