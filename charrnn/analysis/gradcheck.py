"""BPTT against the oracles, parameter by parameter."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np
from numpy.random import Generator

from charrnn.analysis.central_difference import CENTRAL_DIFFERENCE
from charrnn.analysis.complex_step import COMPLEX_STEP
from charrnn.analysis.double_sum import DOUBLE_SUM
from charrnn.analysis.jacobians import lanes
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem
from charrnn.analysis.rtrl import RTRL
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.bptt import Objective, divisor

ORACLES = {oracle.name: oracle for oracle in (CENTRAL_DIFFERENCE, COMPLEX_STEP, DOUBLE_SUM, RTRL)}

Verdict = Literal["passed", "failed", "undecidable"]


@dataclass(frozen=True)
class Entry:
    """One oracle's word on one parameter.

    relative_error: the largest difference over the largest entry of that parameter's gradient:
    a small tensor does not hide behind a large one, but an entry below the tolerance times the
    largest of its own tensor is not resolved. None where nothing could be compared.
    worst_index: where the difference is largest.
    """

    oracle: str
    parameter: str
    shape: tuple[int, ...]
    relative_error: float | None
    worst_index: tuple[int, ...] | None
    bptt_value: float | None
    oracle_value: float | None
    compared: int
    verdict: Verdict


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is told as such
def gradcheck(
    problem: Problem,
    objective: Objective,
    activation: Activation,
    reduction: str,
    oracles: Iterable[Oracle],
    random: Generator,
    tolerance: float | None = None,
    most_entries: int = 200,
) -> list[Entry]:
    """An entry for each oracle and parameter.

    objective: the backward pass on trial. tolerance: instead of each oracle's own.
    most_entries: of larger parameters, so many entries are compared: half of them those with the
    largest gradient, half drawn at random.
    Raises: CharrnnError where the loss is not finite.
    """
    loss, gradient, _ = objective(*problem)
    if not isfinite(loss):
        raise CharrnnError(
            "the loss is beyond all numbers, and there is no gradient to prove.",
            "the model is broken, or model.initialization.recurrent_gain too high.",
        )
    entries = {
        name: _choose_entries(array, most_entries, random) for name, array in gradient.named()
    }
    rounding = _rounding(problem, activation, reduction)
    result = []
    for oracle in oracles:
        truth = oracle.gradient(problem, activation, reduction, entries)
        of_oracle = oracle.noise * max(abs(loss), 1)
        allowed = oracle.tolerance if tolerance is None else tolerance
        for name, array in gradient.named():
            noise = max(of_oracle, rounding[name])
            result.append(_compare(oracle.name, name, array, getattr(truth, name), allowed, noise))
    return result


def passed(entries: Iterable[Entry]) -> bool:
    """Whether nothing failed and every parameter has an oracle that could decide."""
    entries = list(entries)
    proved = {entry.parameter for entry in entries if entry.verdict == "passed"}
    return all(entry.verdict != "failed" and entry.parameter in proved for entry in entries)


def _rounding(problem: Problem, activation: Activation, reduction: str) -> dict[str, float]:
    """What the rounding of ŷ - y in (8) may do to each gradient: every way has it.

    Where a target is all but certain the difference cancels, and what is left of it is noise. It is
    followed back by (9)-(12) with absolute values in the place of signs.
    """
    params = problem.params
    noise = params.zeros_like()
    scale = divisor(problem.window, reduction)
    for x, h, D, do, y in lanes(problem, activation, scale):
        da = np.zeros(params.hidden_size)
        for t in range(len(h) - 1, 0, -1):
            of_do = np.finfo(np.float64).eps * (y[t] / scale + np.abs(do[t]))
            da = np.abs(D[t] * (np.abs(params.V.T) @ of_do + np.abs(params.W.T @ da)))
            noise.V[...] += np.outer(of_do, np.abs(h[t]))
            noise.W[...] += np.outer(da, np.abs(h[t - 1]))
            noise.U[...] += np.outer(da, x[t])
            if noise.b is not None and noise.c is not None:
                noise.b[...] += da
                noise.c[...] += of_do
    return {name: 8 * float(array.max()) for name, array in noise.named()}


def _choose_entries(gradient: Array, most: int, random: Generator) -> Array:
    if gradient.size <= most:
        return np.arange(gradient.size)
    magnitudes = np.abs(gradient.reshape(-1))
    largest = np.argpartition(-magnitudes, most // 2)[: most // 2]
    others = np.setdiff1d(np.arange(gradient.size), largest)
    return np.concatenate([largest, random.choice(others, most - len(largest), replace=False)])


def _compare(
    oracle: str, parameter: str, bptt: Array, truth: Array, tolerance: float, noise: float
) -> Entry:
    known = np.isfinite(truth)
    scale = float(np.abs(truth, where=known, out=np.zeros_like(truth)).max())
    # a comparison finer than the oracle's own rounding proves nothing, and never passes
    fine = known.any() and scale * tolerance > noise
    if not fine and not _differs(bptt, truth, known, noise):
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
