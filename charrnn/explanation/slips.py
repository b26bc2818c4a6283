"""Common mistakes of derivations, each planted into the gradient in turn."""

import numpy as np

from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.directions import check_directions
from charrnn.analysis.truncation import agreement
from charrnn.arrays import Array
from charrnn.errors import UsageError
from charrnn.explanation.example import Example
from charrnn.explanation.slipped import SLIPS, Rules, Slip, slipped_gradient
from charrnn.explanation.update import descended, first_rate, loss_of
from charrnn.explanation.vanishing import jacobian_norms, with_sigma
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.params import Params
from charrnn.results import Curves, Matrix, Part, Statement, Table
from charrnn.wording import decimal, pluralize

TRAINING_STEPS = 50
MAX_TRAINING_WORK = 2e8  # T²H² up to which there are so many steps; for more, fewer
NO_SLIP = Slip("none", "equations (8) to (14)")


def slips(example: Example) -> list[Part]:
    """What gradient each slip gives, how far it is off, and how training with it goes.

    Raises:
        UsageError: There are several layers.
    """
    if example.params.depth > 1:
        raise UsageError(
            "the slips are those of a network with a single layer.", "choose `model.layers=1`."
        )
    H, rate = example.params.hidden_size, first_rate(example)
    steps = int(np.clip(MAX_TRAINING_WORK / (example.steps * H) ** 2, 5, TRAINING_STEPS))
    gradients: dict[str, Params] = {}
    planted, refused = [], []
    for slip in (NO_SLIP, *SLIPS):
        try:
            gradients[slip.name] = slipped_gradient(example.problem, example.activation, slip.rules)
            planted.append(slip)
        except ValueError:
            refused.append(slip)
    curves = {slip.name: _training(example, slip.rules, rate, steps) for slip in planted}
    rows = [_row(slip, example, gradients[slip.name], curves[slip.name]) for slip in planted]
    units = slice(len(example.units))
    shapes = example.params.layout.shapes
    return [
        Table(
            "slips",
            f"each planted in turn; lr = {rate:g}",
            {heading: [row[heading] for row in rows] for heading in rows[0]},
        ),
        Statement(
            "cosine, ‖g‖/‖G‖ and error, ‖g - G‖/‖G‖: of all parameters together; wrong: those that "
            f"the complex step of the gradient check rejects; final L: after {steps} steps"
        ),
        *(
            Statement(
                f"{slip.name}, {slip.says}: cannot be added, ({H}, {H}) is not the shape "
                f"{shapes['U']} of U; with H = A it could, and only a check would tell"
            )
            for slip in refused
        ),
        *_claims(example),
        Curves(
            "training",
            f"gradient descent with each, lr = {rate:g}",
            "step",
            "loss L, nats",
            np.arange(steps + 1),
            {name: np.where(np.isfinite(line), line, np.nan) for name, line in curves.items()},
            limits=(0.0, 2 * float(curves["none"][0])),
            shown="picture",
        ),
        Matrix(
            "dW",
            f"the dW that each gives{example.units_note}",
            np.array([g.W[units, units].ravel() for g in gradients.values()]),
            tuple(gradients),
            tuple(f"{i},{j}" for i in example.unit_names for j in example.unit_names),
            "",
            "weight, to unit i from unit j",
            shown="picture",
        ),
    ]


def _row(slip: Slip, example: Example, g: Params, losses: Array) -> dict[str, object]:
    """A row of the table: error, rejected parameters, final loss."""
    measured = agreement(g.flat, example.bptt[1].flat)
    return {
        "slip": slip.name,
        "what it does": slip.says,
        "cosine": measured.cosine,
        "‖g‖/‖G‖": measured.norm_ratio,
        "error": f"{measured.error:.1%}",
        "wrong": _wrong_parameters(example, g),
        "final L": _loss(losses),
    }


def _training(example: Example, rules: Rules, rate: float, steps: int) -> Array:
    """The loss before and after each step of gradient descent (steps + 1,)."""
    problem = example.problem
    losses = [loss_of(example, problem.params)]
    for _ in range(steps):
        gradient = slipped_gradient(problem, example.activation, rules)
        problem = problem._replace(params=descended(problem.params, gradient, rate))
        losses.append(loss_of(example, problem.params))
    return np.array(losses)


def _loss(losses: Array) -> str:
    return decimal(losses[-1]) if np.isfinite(losses[-1]) else "diverges"


def _wrong_parameters(example: Example, found: Params) -> str:
    """The parameters in which the gradient check fails, along a random direction in each."""
    problem, loss = example.problem, example.bptt[0]
    entries = check_directions(
        problem,
        lambda *_: (loss, found, problem.h0),
        example.activation,
        "sum",
        [COMPLEX_STEP],
        np.random.default_rng(example.seed),
    )
    failed = {entry.parameter for entry in entries if entry.verdict == "failed"}
    return "".join(name for name in found.layout.shapes if name in failed)


def _claims(example: Example) -> list[Part]:
    """Two claims about ReLU, measured with W scaled to σ₁ = 1/2 and 1; none for a single step."""
    relu, lag = ACTIVATIONS["relu"], example.step - 1
    if not lag:
        return []
    left = [
        float(jacobian_norms(example, with_sigma(example, sigma), relu, np.array([lag]))[0][0])
        for sigma in (0.5, 1.0)
    ]
    return [
        Table(
            "claims",
            f"claims about ReLU, with this W scaled: ‖∂h_t/∂h_k‖ over {pluralize(lag, 'step')}",
            {
                "claim": ["ReLU avoids vanishing", "a slope of 1 explodes"],
                "with": ["σ₁ = 0.5", "σ₁ = 1"],
                "measured": left,
                "bound": [0.5**lag, 1.0],
                "so": [_so(value) for value in left],
            },
        )
    ]


def _so(measured: float) -> str:
    if not measured:
        return "every path passes a dead unit"
    return f"{measured:.1%} is left" if measured < 1 else "all is left"
