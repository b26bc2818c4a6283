"""Comparison of BPTT with derivatives along random directions, which involve every weight."""

from collections.abc import Collection, Iterator
from math import isfinite

import numpy as np
from numpy.random import Generator

from charrnn.analysis.central_difference import CENTRAL_DIFFERENCE, STEP, step_error
from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem
from charrnn.analysis.tangent import conditioning, derivative_along, direction_in, scales_of
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import Objective, window_loss
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.results import ALL_PARAMETERS, Entry, Verdict

DIRECTIONAL = (COMPLEX_STEP, CENTRAL_DIFFERENCE)  # the oracles that can follow a direction


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

    Where a comparison fails, it is repeated with the error that the oracle itself may have: that
    of a finite step, and what a chaotic network makes of rounding.

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
    scales = scales_of(problem.params)
    for name, part, shape in _parts(problem.params):
        direction = direction_in(problem.params, part, random)
        value = float(gradient.flat[part] @ direction[part])
        typical = float(np.linalg.norm(gradient.flat[part] * scales[part]))
        exact = derivative_along(problem, activation, reduction, direction)
        for oracle in used:
            truth, allowed = exact.derivative, oracle.tolerance if tolerance is None else tolerance
            oracle_noise = oracle.noise * max(abs(loss), 1)
            noise = max(exact.noise, oracle_noise)
            if oracle is CENTRAL_DIFFERENCE:
                truth = _difference(problem, activation, reduction, direction, STEP)
            entry = _compare(oracle.name, name, shape, value, truth, typical, allowed, noise)
            if entry.verdict == "failed":  # unless the derivative cannot be known so well
                noise += conditioning(problem, activation, reduction, direction)
                if oracle is CENTRAL_DIFFERENCE:
                    shorter = [
                        _difference(problem, activation, reduction, direction, step)
                        for step in (STEP / 2, STEP / 4)
                    ]
                    noise += step_error(np.array([truth, *shorter]), abs(truth), oracle_noise)
                entry = _compare(oracle.name, name, shape, value, truth, typical, allowed, noise)
            rows[oracle.name].append(entry)
    return [entry for entries in rows.values() for entry in entries]


def _parts(params: Params) -> Iterator[tuple[str, slice, tuple[int, ...]]]:
    """Name, slice of the flat array and shape of what a direction moves."""
    yield ALL_PARAMETERS, slice(0, params.size), (params.size,)
    for name, shape in params.layout.shapes.items():
        yield name, params.layout.slices[name], shape


def _difference(
    problem: Problem, activation: Activation, reduction: str, direction: Array, step: float
) -> float:
    """The central difference along a direction; NaN if a ReLU switches between the points."""
    params, window, h0, mask = problem
    ahead, behind = (
        params.map(lambda flat, by=by: flat + by * direction)  # type: ignore[misc]
        for by in (step, -step)
    )
    if not activation.smooth:
        active, others = (
            states(p, window.x, h0, activation, mask=mask) > 0 for p in (ahead, behind)
        )
        if not np.array_equal(active, others):
            return np.nan
    losses = [window_loss(p, window, h0, activation, reduction, mask) for p in (ahead, behind)]
    return float(losses[0] - losses[1]) / (2 * step)


def _compare(
    oracle: str,
    name: str,
    shape: tuple[int, ...],
    value: float,
    truth: float,
    typical: float,
    tolerance: float,
    noise: float,
) -> Entry:
    size = int(np.prod(shape))
    if not isfinite(truth):
        return Entry(oracle, name, shape, None, None, value, None, 0, "undecidable", True)
    difference = abs(value - truth)
    scale = max(typical, abs(truth), np.finfo(np.float64).tiny)
    if scale * tolerance <= noise and difference <= noise:
        return Entry(oracle, name, shape, None, None, value, truth, size, "undecidable", True)
    relative = difference / scale if isfinite(difference) and isfinite(scale) else float("inf")
    verdict: Verdict = "passed" if relative <= tolerance else "failed"
    return Entry(oracle, name, shape, relative, None, value, truth, size, verdict, True)
