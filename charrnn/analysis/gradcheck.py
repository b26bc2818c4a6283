"""Comparison of BPTT with the oracles, parameter by parameter."""

from collections.abc import Iterable
from math import isfinite

import numpy as np
from numpy.random import Generator

from charrnn.analysis.central_difference import CENTRAL_DIFFERENCE
from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.double_sum import DOUBLE_SUM
from charrnn.analysis.jacobians import inputs_of, lanes, over_step, within_step
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem
from charrnn.analysis.rtrl import RTRL
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.bptt import Objective, divisor
from charrnn.results import Entry

ORACLES = {oracle.name: oracle for oracle in (CENTRAL_DIFFERENCE, COMPLEX_STEP, DOUBLE_SUM, RTRL)}


@np.errstate(over="ignore", invalid="ignore")  # values that are not finite fail below
def gradcheck(
    problem: Problem,
    objective: Objective,
    activation: Activation,
    reduction: str,
    oracles: Iterable[Oracle],
    random: Generator,
    tolerance: float | None = None,
    max_entries: int = 200,
) -> list[Entry]:
    """Compares a backward pass with oracles.

    Args:
        problem: Weights, window and initial state in float64.
        objective: The backward pass to check.
        activation: The activation f.
        reduction: "sum" or "mean".
        oracles: The oracles to compare with.
        random: Source of the random choice of entries.
        tolerance: The relative error to accept; None for each oracle's own.
        max_entries: The number of entries to compare of larger parameters: half of them are those
            with the largest gradient, half are drawn at random.

    Returns:
        An entry for each oracle and parameter.

    Raises:
        CharrnnError: The loss is not finite.
    """
    loss, gradient, _ = objective(problem.params, problem.window, problem.h0)
    if not isfinite(loss):
        raise CharrnnError(
            "the loss is not finite, so there is no gradient to check.",
            "the model is broken, or model.initialization.recurrent_gain is too high.",
        )
    entries = {
        name: _choose_entries(array, max_entries, random) for name, array in gradient.named()
    }
    rounding = _rounding(problem, activation, reduction)
    result = []
    for oracle in oracles:
        truth = dict(oracle.gradient(problem, activation, reduction, entries).named())
        oracle_noise = oracle.noise * max(abs(loss), 1)
        allowed = oracle.tolerance if tolerance is None else tolerance
        for name, array in gradient.named():
            noise = max(oracle_noise, rounding[name])
            result.append(_compare(oracle.name, name, array, truth[name], allowed, noise))
    return result


def _rounding(problem: Problem, activation: Activation, reduction: str) -> dict[str, float]:
    """The error of each gradient that comes from rounding ŷ - y in (8), whatever the method.

    Where a target is all but certain the difference cancels, and what is left of it is noise, of
    one independent error for each logit. Its covariance is followed back as the gradient is, so
    that errors cancel as they do there.
    """
    params = problem.params
    noise = params.zeros_like()
    scale = divisor(problem.window, reduction)
    for lane in lanes(problem, activation, scale):
        T = len(lane.h) - 1
        covariance = np.zeros((params.state_size, params.state_size))  # of ∂L/∂s_t
        for t in range(T, 0, -1):
            do = np.finfo(np.float64).eps * (lane.y[t] / scale + np.abs(lane.do[t]))
            if t < T:
                J = over_step(params, lane, t + 1)
                covariance = J.T @ covariance @ J
            top = params.by_layer(lane.M[t])[-1] * do[:, None] * params.V
            covariance[-params.hidden_size :, -params.hidden_size :] += top.T @ top
            S = within_step(params, lane, t)
            variance = np.einsum("ij,ij->j", S, covariance @ S)
            das = params.by_layer(np.abs(lane.D[t]) * np.sqrt(np.maximum(variance, 0)))
            noise.V[...] += np.outer(do, np.abs(params.by_layer(lane.h[t] * lane.M[t])[-1]))
            if noise.c is not None:
                noise.c[...] += do
            before = params.by_layer(np.abs(lane.h[t - 1]))
            for layer, da, h, below in zip(
                noise.layers, das, before, inputs_of(params, lane, t), strict=True
            ):
                layer.W[...] += np.outer(da, h)
                layer.U[...] += np.outer(da, np.abs(below))
                if layer.b is not None:
                    layer.b[...] += da
    return {name: 8 * float(array.max()) for name, array in noise.named()}


def _choose_entries(gradient: Array, count: int, random: Generator) -> Array:
    if gradient.size <= count:
        return np.arange(gradient.size)
    magnitudes = np.abs(gradient.reshape(-1))
    largest = np.argpartition(-magnitudes, count // 2)[: count // 2]
    others = np.setdiff1d(np.arange(gradient.size), largest)
    return np.concatenate([largest, random.choice(others, count - len(largest), replace=False)])


def _compare(
    oracle: str, parameter: str, bptt: Array, truth: Array, tolerance: float, noise: float
) -> Entry:
    known = np.isfinite(truth)
    scale = float(np.abs(truth, where=known, out=np.zeros_like(truth)).max())
    # a comparison finer than the oracle's own rounding shows nothing, and never passes
    resolved = known.any() and scale * tolerance > noise
    if not resolved and not _differs(bptt, truth, known, noise):
        return Entry(
            oracle, parameter, bptt.shape, None, None, None, None, int(known.sum()), "undecidable"
        )
    difference = np.where(known, np.abs(bptt - truth), 0.0)
    difference = np.where(np.isnan(difference), np.inf, difference)
    worst = np.unravel_index(int(difference.argmax()), bptt.shape)
    relative = float(difference[worst]) / max(scale, np.finfo(np.float64).tiny)
    return Entry(
        oracle,
        parameter,
        bptt.shape,
        relative,
        tuple(int(index) for index in worst),
        float(bptt[worst]),
        float(truth[worst]),
        int(known.sum()),
        "passed" if relative <= tolerance else "failed",
    )


def _differs(bptt: Array, truth: Array, known: Array, noise: float) -> bool:
    """Whether the two differ by more than rounding explains, however small the truth is."""
    difference = np.abs(bptt[known] - truth[known])
    return bool(known.any() and not (difference <= noise).all())
