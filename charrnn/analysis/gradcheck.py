"""Comparison of BPTT with the oracles, parameter by parameter."""

from collections.abc import Iterable, Mapping
from math import isfinite

import numpy as np
from numpy.random import Generator

from charrnn.analysis.central_difference import CENTRAL_DIFFERENCE
from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.double_sum import DOUBLE_SUM
from charrnn.analysis.entries import choose_entries
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem
from charrnn.analysis.rounding import rounding
from charrnn.analysis.rtrl import RTRL
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.bptt import Objective
from charrnn.results import Entry

ORACLES = {oracle.name: oracle for oracle in (CENTRAL_DIFFERENCE, COMPLEX_STEP, DOUBLE_SUM, RTRL)}
MAX_ENTRIES = 200  # of a parameter


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
    result = []
    for oracle in oracles:
        count = max_entries if isinstance(max_entries, int) else max_entries[oracle.name]
        entries = choose_entries(gradient, problem.window, count, random)
        truth = dict(oracle.gradient(problem, activation, reduction, entries).named())
        oracle_noise = oracle.noise * max(abs(loss), 1)
        allowed = oracle.tolerance if tolerance is None else tolerance
        for name, array in gradient.named():
            noise = max(oracle_noise, noise_of[name])
            result.append(_compare(oracle.name, name, array, truth[name], allowed, noise))
    return result


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
