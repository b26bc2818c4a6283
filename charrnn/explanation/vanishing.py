"""Why gradients vanish or explode: equation (18)."""

import numpy as np

from charrnn.analysis.jacobians import SLOPES, lanes, pre_activations
from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.explanation.example import Example
from charrnn.model.activations import ACTIVATIONS, Activation
from charrnn.results import Columns, Curves, Part, Statement, Table
from charrnn.wording import activation_name

SCALES = {"contracting": 0.5, "in between": 1.0, "expanding": 2.0}  # of γσ₁
A_RANGE = np.linspace(-4, 4, 161)
MAX_POINTS = 400
NEAR_ONE = 0.005  # of γσ₁, within which the bound changes little over a text
MAX_SIZE, MAX_LAGS = 64, 12  # of larger networks fewer lags are measured, each by an SVD


def vanishing(example: Example) -> list[Part]:
    """Slopes, bounds and what is measured, lag by lag, and three regimes of W."""
    t, gamma = example.step, example.activation.steepest
    shown = t if example.params.hidden_size <= MAX_SIZE else min(t, MAX_LAGS)
    lags = np.unique(np.linspace(0, t - 1, shown).round().astype(int))  # back to h_1
    measured, product = jacobian_norms(example, example.problem, example.activation, lags)
    bound = example.contraction**lags
    a = example.own(pre_activations(example.params, example.lane.x, example.lane.h, example.lane.M))
    a = a[1:].ravel()[:MAX_POINTS]
    parts: list[Part] = [
        Statement("‖∂h_t/∂h_k‖ ≤ Π_j ‖D_j‖ ‖W‖ ≤ (γ σ₁(W))^(t-k), j = k+1, …, t", "(18)"),
        Statement(
            f"γ = {gamma:g} is the steepest slope of {example.f}, σ₁ = {example.sigma:.3f} the "
            f"largest singular value of {example.name('W')}: γσ₁ = {example.contraction:.3f}: "
            f"{what_the_bound_allows(example)}"
        ),
        _activations(example),
        Curves(
            "values",
            "f(a), and a of the units",
            "pre-activation a",
            "f(a)",
            A_RANGE,
            {activation_name(name): _applied(f, A_RANGE) for name, f in ACTIVATIONS.items()},
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
            {activation_name(name): SLOPES[name](A_RANGE) for name in SLOPES},
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
            example, with_sigma(example, scale / gamma), example.activation, lags
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
        last = example.step - 1
        measured, _ = jacobian_norms(example, example.problem, activation, np.array([last]))
        for heading, value in zip(
            rows,
            (
                activation_name(name),
                f"{activation.steepest:g}",
                activation.steepest * example.sigma,
                float(slopes.mean()),
                float(slopes.min()),
                f"{(slopes < 0.1 * activation.steepest).mean():.0%}",
                float(measured[0] ** (1 / last)) if last else float("nan"),
            ),
            strict=True,
        ):
            rows[heading].append(value)
    return Table(
        "activations",
        "the same weights with each activation; flat: below γ/10; per step: what is measured",
        rows,
    )


def what_the_bound_allows(example: Example) -> str:
    """What γσ₁ says about gradients that stay in the layer that is shown."""
    top = example.layer == example.params.depth
    gradients = "gradients" if top else f"gradients on the way within layer {example.layer}"
    if example.contraction < 1 - NEAR_ONE:
        return f"{gradients} must vanish"
    if example.contraction > 1 + NEAR_ONE:
        return f"{gradients} may grow"
    return f"the bound on {gradients} hardly changes with the lag"


def _applied(activation: Activation, a: Array) -> Array:
    h = np.empty_like(a)
    activation.apply(a, h)
    return h


def jacobian_norms(
    example: Example, problem: Problem, activation: Activation, lags: Array
) -> tuple[Array, Array]:
    """Norms of (13) in the layer that is shown, back from the step that is shown.

    Args:
        example: Says which layer and step t.
        problem: Weights, window and initial state of one lane.
        activation: The activation f.
        lags: The lags l < t to measure, growing (n,).

    Returns:
        ‖∂h_t/∂h_{t-l}‖ (n,), and the products of ‖D_j‖ ‖W‖ (n,).
    """
    (lane,) = lanes(problem, activation, 1)
    W, D = problem.params.layers[example.layer - 1].W, example.own(lane.D)
    norm_of_W = float(np.linalg.norm(W, 2))
    product, bound = np.eye(len(W)), 1.0
    measured, bounds = [], []
    for lag in range(int(lags[-1]) + 1):
        if lag:
            k = example.step - lag + 1
            product = product @ (D[k][:, None] * W)
            bound *= float(D[k].max()) * norm_of_W
        if lag in lags:
            measured.append(float(np.linalg.norm(product, 2)))
            bounds.append(bound)
    return np.array(measured), np.array(bounds)


def with_sigma(example: Example, sigma: float) -> Problem:
    """The problem with W of the layer that is shown scaled to a largest singular value."""
    factor = sigma / example.sigma if example.sigma else 0.0
    scaled = {example.name("W"): factor * example.weights.W}
    return example.problem._replace(params=example.params.replace(**scaled))
