"""The optimizers, by the rules of their updates."""

from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace
from charrnn.optim.optimizer import Optimizer
from charrnn.optim.orthogonal import orthogonalize


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


def adam(
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float = 0.0,
    compiled: Callable[..., bool] | None = None,
) -> Optimizer:
    """Adam, m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², θ ← θ - lr m̂ / (√v̂ + ε).

    m̂ and v̂ are m / (1-β₁ⁿ) and v / (1-β₂ⁿ) after n updates.

    Args:
        beta1: β₁.
        beta2: β₂.
        epsilon: ε.
        weight_decay: λ; above 0 this is AdamW.
        compiled: The update of `optim/adam_kernel.py`, which gives the same bits.

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
        # both corrections are scalars; on the numerator's and ε's side they cost no pass
        correction = sqrt(1 - beta2**n)
        step, added = lr * correction / (1 - beta1**n), epsilon * correction
        if compiled:
            finite = compiled(theta, g, m, v, beta1, beta2, step, added)
            if not finite and np.geterr()["over"] == "raise":  # as NumPy does
                raise FloatingPointError("overflow in Adam's update")
            return
        _average(v, _square(g, workspace), beta2)
        _average(m, g, beta1)
        np.multiply(m, step, out=g)
        theta -= _quotient(g, v, workspace, added)

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
