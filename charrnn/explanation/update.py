"""One step of gradient descent: equation (17)."""

from math import floor, log10

import numpy as np

from charrnn.explanation.example import Example, norms
from charrnn.model.bptt import window_loss
from charrnn.model.params import Params
from charrnn.optim.optimizers import sgd
from charrnn.results import Curves, Matrix, Part, Statement, Table
from charrnn.wording import decimal


def update(example: Example) -> list[Part]:
    """θ - lr · ∂L/∂θ for every weight, and the loss against the size of the step."""
    loss, gradient = example.bptt
    lr, slope = first_rate(example), example.squared_norm
    after = descended(example.params, gradient, lr)
    sizes = np.concatenate([[0.0], lr * np.geomspace(0.25, 64, 33)])
    losses = np.array(
        [loss_of(example, descended(example.params, gradient, size)) for size in sizes]
    )
    lowest = int(losses.argmin())
    name, units = example.name("W"), example.units
    weights = example.weights.W[np.ix_(units, units)]
    dW = gradient.layers[example.layer - 1].W[np.ix_(units, units)]
    here, by_W = weights[0, 0], dW[0, 0]
    moved, lowered = here - lr * by_W, loss_of(example, after)
    return [
        Statement(f"θ ← θ - lr · ∂L/∂θ, with lr = {lr:g}", "(17)"),
        Table(
            "parameters",
            "the step of every parameter, as norms",
            {
                "θ": [key for key, _ in gradient.named()],
                "weights": [array.size for _, array in gradient.named()],
                "‖θ‖": norms(array for _, array in example.params.named()),
                "‖∂L/∂θ‖": norms(array for _, array in gradient.named()),
                "‖change‖": [lr * float(np.linalg.norm(array)) for _, array in gradient.named()],
            },
            equation="(17)",
        ),
        Statement(
            f"{name}[1, 1] = {decimal(here)} - {lr:g} · ({decimal(by_W)}) = {decimal(moved)}"
        ),
        *(
            Matrix(
                key,
                f"{title}{example.units_note}",
                matrix,
                example.unit_names,
                example.unit_names,
                "to unit",
                "from unit",
                equation="(17)",
            )
            for key, title, matrix in (
                ("before", f"{name} before", weights),
                ("gradient", f"d{name}", dW),
                ("after", f"{name} after", weights - lr * dW),
            )
        ),
        Statement(
            f"loss L: {decimal(loss)} before, {decimal(lowered)} after; the slope along -∂L/∂θ, "
            f"-‖∂L/∂θ‖² = {decimal(-slope)}, predicts {decimal(loss - lr * slope)}"
        ),
        Curves(
            "descent",
            "the loss against the step size along -∂L/∂θ",
            "lr",
            "loss L, nats",
            sizes,
            {"loss": losses, "predicted by the slope": loss - sizes * slope},
            points={"this step": (np.array([lr]), np.array([lowered]))},
            limits=(0.0, 1.5 * loss),
            equation="(17)",
        ),
        Statement(
            f"of these the loss is lowest, {decimal(losses[lowest])}, at lr = {sizes[lowest]:.3g}"
            + (", and still falling" if lowest == len(sizes) - 1 else "")
            + ". The slope holds for small steps only: with longer ones the curvature matters"
        ),
    ]


def first_rate(example: Example) -> float:
    """A learning rate whose step should lower the loss by about a tenth; one digit."""
    if not example.squared_norm:
        return 0.1
    rate = 0.1 * example.bptt[0] / example.squared_norm
    digit = 10.0 ** floor(log10(rate))
    return round(rate / digit) * digit


def descended(params: Params, gradient: Params, learning_rate: float) -> Params:
    """The weights after one step of plain gradient descent."""
    after, optimizer = params.astype(params.dtype), sgd()
    optimizer.update(gradient.map(np.copy), optimizer.init(after), after, learning_rate)
    return after


def loss_of(example: Example, params: Params) -> float:
    """The summed loss with other weights."""
    _, window, h0, _ = example.problem
    return float(window_loss(params, window, h0, example.activation, "sum"))
