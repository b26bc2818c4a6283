"""Comparison of BPTT with the oracles, parameter by parameter."""

from collections.abc import Iterable, Mapping
from functools import cache
from math import isfinite

import numpy as np
from numpy.random import Generator, default_rng

from charrnn.analysis.central_difference import (
    CENTRAL_DIFFERENCE,
    STEP,
    central_difference,
    step_error,
)
from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.double_sum import DOUBLE_SUM
from charrnn.analysis.entries import choose_entries
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem
from charrnn.analysis.rounding import rounding
from charrnn.analysis.rtrl import RTRL
from charrnn.analysis.tangent import conditioning, derivative_along, direction_in, scales_of
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.results import Entry

ORACLES = {oracle.name: oracle for oracle in (CENTRAL_DIFFERENCE, COMPLEX_STEP, DOUBLE_SUM, RTRL)}
MAX_ENTRIES = 200  # of a parameter
MAX_REPEATED = 20  # differences that are repeated with shorter steps, where they disagree


@np.errstate(over="ignore", invalid="ignore")  # values that are not finite fail below
def gradcheck(
    problem: Problem,
    objective: Objective,
    activation: Activation,
    reduction: str,
    oracles: Iterable[Oracle],
    random: Generator,
    tolerance: float | None = None,
    max_entries: int | Mapping[str, int] = MAX_ENTRIES,
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
        max_entries: The number of entries to compare of larger parameters, for all oracles or by
            their names; see `choose_entries`.

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
    noise_of = rounding(problem, activation, reduction)

    @cache
    def chaos(name: str) -> float:
        return _chaos(problem, activation, reduction, gradient, name)

    result = []
    for oracle in oracles:
        count = max_entries if isinstance(max_entries, int) else max_entries[oracle.name]
        entries = choose_entries(gradient, problem.window, count, random)
        truth = dict(oracle.gradient(problem, activation, reduction, entries).named())
        oracle_noise = oracle.noise * max(abs(loss), 1)
        allowed = oracle.tolerance if tolerance is None else tolerance
        for name, array in gradient.named():
            noise = max(oracle_noise, noise_of[name])
            entry = _compare(oracle.name, name, array, truth[name], allowed, noise)
            if entry.verdict == "failed":  # unless the derivatives cannot be known so well
                if oracle is CENTRAL_DIFFERENCE:
                    noise += _step_error(
                        problem, activation, reduction, name, array, truth, oracle_noise
                    )
                noise += chaos(name) * _largest(truth[name])
                entry = _compare(oracle.name, name, array, truth[name], allowed, noise)
            result.append(entry)
    return result


def _step_error(
    problem: Problem,
    activation: Activation,
    reduction: str,
    name: str,
    bptt: Array,
    truth: dict[str, Array],
    noise: float,
) -> float:
    """The error of the differences because of their step, from those that disagree most."""
    disagreement = np.nan_to_num(np.abs(bptt - truth[name])).reshape(-1)
    worst = np.argsort(-disagreement, kind="stable")[:MAX_REPEATED]
    entries = dict.fromkeys(truth, worst[:0]) | {name: worst}
    found = [truth[name].reshape(-1)[worst]]
    for step in (STEP / 2, STEP / 4):
        again = central_difference(problem, activation, reduction, entries, step)
        found.append(dict(again.named())[name].reshape(-1)[worst])
    known = np.isfinite(found).all(axis=0)
    return step_error(np.array(found)[:, known], _largest(truth[name]), noise)


def _chaos(
    problem: Problem, activation: Activation, reduction: str, gradient: Params, name: str
) -> float:
    """The relative error that rounding in the forward pass may cause; see `conditioning`."""
    params, part = problem.params, problem.params.layout.slices[name]
    direction = direction_in(params, part, default_rng(0))
    derivative = derivative_along(problem, activation, reduction, direction).derivative
    typical = float(np.linalg.norm(gradient.flat[part] * scales_of(params)[part]))
    error = conditioning(problem, activation, reduction, direction)
    return error / max(typical, abs(derivative), np.finfo(np.float64).tiny)


def _largest(values: Array) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0))


def _compare(
    oracle: str, parameter: str, bptt: Array, truth: Array, tolerance: float, noise: float
) -> Entry:
    known = np.isfinite(truth)
    scale = _largest(truth)
    # a comparison finer than the oracle's own rounding shows nothing, and never passes
    resolved = known.any() and scale * tolerance > noise
    if not resolved and not _differs(bptt, truth, known, noise):
        return Entry(
            oracle, parameter, bptt.shape, None, None, None, None, int(known.sum()), "undecidable"
        )
    difference = np.where(known, np.abs(bptt - truth), -1.0)  # the worst is one compared
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
