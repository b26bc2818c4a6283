"""Why gradients vanish or explode: equation (18)."""

import numpy as np

from charrnn.analysis.jacobians import SLOPES, lanes, over_step, pre_activations
from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.explanation.example import Example
from charrnn.model.activations import ACTIVATIONS, Activation
from charrnn.results import Columns, Curves, Part, Statement, Table

SCALES = {"contracting": 0.5, "in between": 1.0, "expanding": 2.0}  # of γσ₁
DISPLAYED = {"relu": "ReLU"}
A_RANGE = np.linspace(-4, 4, 161)
MAX_POINTS = 400


def vanishing(example: Example) -> list[Part]:
    """Slopes, bounds and what is measured, lag by lag, and three regimes of W."""
    W, gamma = example.weights.W, example.activation.steepest
    sigma = float(np.linalg.norm(W, 2))
    t = example.step
    lags = np.arange(t)  # back to h_1
    measured, product = jacobian_norms(example, example.problem, example.activation)
    bound = (gamma * sigma) ** lags
    a = example.own(pre_activations(example.params, example.lane.x, example.lane.h, example.lane.M))
    a = a[1:].ravel()[:MAX_POINTS]
    parts: list[Part] = [
        Statement("‖∂h_t/∂h_k‖ ≤ Π_j ‖D_j‖ ‖W‖ ≤ (γ σ₁(W))^(t-k), j = k+1, …, t", "(18)"),
        Statement(
            f"γ = {gamma:g} is the steepest slope of {example.f}, σ₁ = {sigma:.3f} the largest "
            f"singular value of {example.name('W')}: γσ₁ = {gamma * sigma:.3f}"
            + (", below 1: gradients must vanish" if gamma * sigma < 1 else "")
        ),
        _activations(example),
        Curves(
            "values",
            "f(a), and a of the units",
            "pre-activation a",
            "f(a)",
            A_RANGE,
            {DISPLAYED.get(name, name): _applied(f, A_RANGE) for name, f in ACTIVATIONS.items()},
            points={"units": (a, _applied(example.activation, a))},
            limits=(-1.2, 1.2),
            shown="picture",
        ),
        Curves(
            "activations",
            "f′(a), and a of the units",
            "pre-activation a",
            "slope f′(a)",
            A_RANGE,
            {DISPLAYED.get(name, name): SLOPES[name](A_RANGE) for name in SLOPES},
            points={"units": (a, SLOPES[example.activation.name](a))},
            shown="picture",
            equation="(18)",
        ),
        Curves(
            "lags",
            f"how much of h_{t} an earlier state moves",
            "lag l = t - k",
            f"‖∂h_{t}/∂h_{{{t}-l}}‖",
            lags,
            {"bound (γσ₁)^l": bound, "product of norms": product, "measured": measured},
            logarithmic="y",
            equation="(18)",
        ),
    ]
    regimes = {
        f"{name}, γσ₁ = {scale:g}": jacobian_norms(
            example, with_sigma(example, scale / gamma), example.activation
        )[0]
        for name, scale in SCALES.items()
    }
    parts += [
        Curves(
            "regimes",
            f"the same with {example.name('W')} scaled: three regimes",
            "lag l = t - k",
            "measured norm",
            lags,
            regimes,
            ordered=True,
            logarithmic="y",
            equation="(18)",
        ),
        Statement(
            "γσ₁ < 1 is enough for a gradient to vanish; γσ₁ > 1 is needed for it to explode, and "
            "not enough: the slopes of saturated or dead units shrink it"
        ),
    ]
    return parts


def _activations(example: Example) -> Table:
    """Each activation in a network of the same weights."""
    sigma = float(np.linalg.norm(example.weights.W, 2))
    rows: Columns = {
        "f": [],
        "γ": [],
        "γσ₁": [],
        "mean f′": [],
        "least f′": [],
        "flat": [],
        "per step": [],
    }
    for name, activation in ACTIVATIONS.items():
        (lane,) = lanes(example.problem, activation, 1)
        slopes = example.own(lane.D)[1:]
        measured, _ = jacobian_norms(example, example.problem, activation)
        last = max(len(measured) - 1, 1)
        for heading, value in zip(
            rows,
            (
                DISPLAYED.get(name, name),
                f"{activation.steepest:g}",
                activation.steepest * sigma,
                float(slopes.mean()),
                float(slopes.min()),
                f"{(slopes < 0.1 * activation.steepest).mean():.0%}",
                float(measured[-1] ** (1 / last)) if len(measured) > 1 else float("nan"),
            ),
            strict=True,
        ):
            rows[heading].append(value)
    return Table(
        "activations",
        "the same weights with each activation; flat: below γ/10; per step: what is measured",
        rows,
    )


def _applied(activation: Activation, a: Array) -> Array:
    h = np.empty_like(a)
    activation.apply(a, h)
    return h


def jacobian_norms(
    example: Example, problem: Problem, activation: Activation
) -> tuple[Array, Array]:
    """Norms of (13) in the layer that is shown, from the step that is shown back to the first.

    Args:
        example: Says which layer and step.
        problem: Weights, window and initial state of one lane.
        activation: The activation f.

    Returns:
        ‖∂h_t/∂h_{t-l}‖, and the product of ‖D_j‖ ‖W‖, for l = 0, …, t - 1.
    """
    (lane,) = lanes(problem, activation, 1)
    params, H = problem.params, problem.params.hidden_size
    own = slice((example.layer - 1) * H, example.layer * H)
    norm_of_W = float(np.linalg.norm(params.layers[example.layer - 1].W, 2))
    product, measured, bounds = np.eye(params.state_size), [1.0], [1.0]
    for k in range(example.step, 1, -1):
        product = product @ over_step(params, lane, k)
        measured.append(float(np.linalg.norm(product[own, own], 2)))
        bounds.append(bounds[-1] * float(np.abs(lane.D[k, own]).max()) * norm_of_W)
    return np.array(measured), np.array(bounds)


def with_sigma(example: Example, sigma: float) -> Problem:
    """The problem with W of the layer that is shown scaled to a largest singular value."""
    W = example.weights.W
    largest = float(np.linalg.norm(W, 2))
    scaled = {example.name("W"): W * (sigma / largest if largest else 0.0)}
    return example.problem._replace(params=example.params.replace(**scaled))
