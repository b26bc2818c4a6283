"""Comparison of BPTT with derivatives along random directions, which involve every weight."""

from collections.abc import Collection, Iterator
from math import isfinite, sqrt

import numpy as np
from numpy.random import Generator

from charrnn.analysis import central_difference, complex_step
from charrnn.analysis.central_difference import CENTRAL_DIFFERENCE
from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem
from charrnn.analysis.rounding import MARGIN, logit_rounding
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import Objective, divisor, window_loss
from charrnn.model.loss import cross_entropy, softmax
from charrnn.model.params import Params
from charrnn.model.rnn import joint, logits, states
from charrnn.results import Entry, Verdict

DIRECTIONAL = (COMPLEX_STEP, CENTRAL_DIFFERENCE)  # the oracles that can follow a direction
ALL = "all"  # the name of a direction in all parameters


@np.errstate(over="ignore", invalid="ignore")  # values that are not finite fail below
def check_directions(
    problem: Problem,
    objective: Objective,
    activation: Activation,
    reduction: str,
    oracles: Collection[Oracle],
    random: Generator,
    tolerance: float | None = None,
) -> list[Entry]:
    """Compares ⟨gradient, d⟩ with the derivative of the loss along random directions d.

    There is a direction in all parameters, and one in each parameter alone, because the error of a
    parameter with a small gradient could hide behind the others. The components have random signs
    and magnitudes of 1/2 to 3/2, divided by the root of the number of inputs, as initial weights
    are: a step along d moves every pre-activation and logit about as far as a step of one bias
    moves its own, so the step of the central difference suits both. No component is near 0, so an
    error in a single entry shows at half of its size at least, and no two errors cancel exactly.

    Errors are relative to √Σ(s g)², with the scale s of each component: the typical size of the
    derivative, which a direction almost perpendicular to the gradient does not have.

    Args:
        problem: Weights, window and initial state in float64.
        objective: The backward pass to check.
        activation: The activation f.
        reduction: "sum" or "mean".
        oracles: The oracles to compare with; those not in DIRECTIONAL are left out.
        random: Source of the directions.
        tolerance: The relative error to accept; None for each oracle's own.

    Returns:
        An entry for each oracle and direction.
    """
    used = [oracle for oracle in DIRECTIONAL if oracle in oracles]
    if not used:
        return []
    loss, gradient, _ = objective(problem.params, problem.window, problem.h0)
    rows: dict[str, list[Entry]] = {oracle.name: [] for oracle in used}
    scales = _scales(problem.params)
    for name, part, shape in _parts(problem.params):
        direction = np.zeros_like(scales)
        direction[part] = scales[part] * _signed(random, part.stop - part.start)
        value = float(gradient.flat[part] @ direction[part])
        typical = float(np.linalg.norm(gradient.flat[part] * scales[part]))
        exact, logit_noise = _along(problem, activation, reduction, direction)
        for oracle in used:
            truth: float | None = exact
            if oracle is CENTRAL_DIFFERENCE:
                truth = _difference(problem, activation, reduction, direction)
            noise = max(logit_noise, oracle.noise * max(abs(loss), 1))
            allowed = oracle.tolerance if tolerance is None else tolerance
            rows[oracle.name].append(
                _compare(oracle.name, name, shape, value, truth, typical, allowed, noise)
            )
    return [entry for entries in rows.values() for entry in entries]


def _parts(params: Params) -> Iterator[tuple[str, slice, tuple[int, ...]]]:
    """Name, slice of the flat array and shape of what a direction moves."""
    yield ALL, slice(0, params.size), (params.size,)
    for name, shape in params.layout.shapes.items():
        yield name, params.layout.slices[name], shape


def _scales(params: Params) -> Array:
    """1 / √inputs of every weight (N,); 1 for biases, and for U with its one-hot inputs."""
    scales = params.zeros_like()
    first = "U" + params.layout.suffixes[0]
    for name, array in scales.named():
        array[...] = 1 if array.ndim == 1 or name == first else 1 / sqrt(array.shape[1])
    return scales.flat


def _signed(random: Generator, size: int) -> Array:
    """Magnitudes of 1/2 to 3/2 with random signs."""
    signed: Array = random.choice([-1.0, 1.0], size) * random.uniform(0.5, 1.5, size)
    return signed


def _along(
    problem: Problem, activation: Activation, reduction: str, direction: Array
) -> tuple[float, float]:
    """The derivative of the loss along a direction by the complex step, and what rounding makes.

    The derivative is Σ_t do_t · ∂o_t, with that of the logits, so the rounding errors of do_t in
    (8) add up as the terms of this sum.
    """
    params, (x, y, *_), h0, mask = problem
    shifted = params.map(lambda flat: flat + 1j * complex_step.STEP * direction)
    h = states(shifted, x, h0, activation, mask=mask)[1:]
    o = logits(shifted, h if mask is None else h * joint(mask))
    scale = divisor(problem.window, reduction)
    derivative = float(cross_entropy(o, y).sum().imag / complex_step.STEP / scale)
    targets = np.eye(params.alphabet_size)[y] * (y >= 0)[..., None]
    do = (softmax(o.real) - targets) * (y >= 0)[..., None] / scale
    errors = logit_rounding(do, targets, scale) * o.imag / complex_step.STEP
    return derivative, MARGIN * float(np.linalg.norm(errors))


def _difference(
    problem: Problem, activation: Activation, reduction: str, direction: Array
) -> float | None:
    """The central difference along a direction; None if a ReLU switches between the points."""
    params, window, h0, mask = problem
    step = central_difference.STEP
    ahead, behind = (
        params.map(lambda flat, by=by: flat + by * direction)  # type: ignore[misc]
        for by in (step, -step)
    )
    if not activation.smooth:
        active, others = (
            states(p, window.x, h0, activation, mask=mask) > 0 for p in (ahead, behind)
        )
        if not np.array_equal(active, others):
            return None
    losses = [window_loss(p, window, h0, activation, reduction, mask) for p in (ahead, behind)]
    return float(losses[0] - losses[1]) / (2 * step)


def _compare(
    oracle: str,
    name: str,
    shape: tuple[int, ...],
    value: float,
    truth: float | None,
    typical: float,
    tolerance: float,
    noise: float,
) -> Entry:
    size = int(np.prod(shape))
    if truth is None:
        return Entry(oracle, name, shape, None, None, value, None, 0, "undecidable", True)
    difference = abs(value - truth)
    scale = max(typical, abs(truth), np.finfo(np.float64).tiny)
    if scale * tolerance <= noise and difference <= noise:
        return Entry(oracle, name, shape, None, None, value, truth, size, "undecidable", True)
    relative = difference / scale if isfinite(difference) and isfinite(scale) else float("inf")
    verdict: Verdict = "passed" if relative <= tolerance else "failed"
    return Entry(oracle, name, shape, relative, None, value, truth, size, verdict, True)
