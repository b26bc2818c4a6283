"""What truncation costs: the gradient of a reach, and of windows, beside the full one."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from charrnn.analysis.flow import by_lag
from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.bptt import bptt
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.window import NO_TARGET, Window


class Agreement(NamedTuple):
    """A gradient g beside the full one G, over all parameters.

    cosine: of the angle between them. norm_ratio: ‖g‖ / ‖G‖. error: ‖g - G‖ / ‖G‖.
    """

    cosine: float
    norm_ratio: float
    error: float


@dataclass(frozen=True)
class Truncation:
    """What truncation costs one model on one text.

    by_reach[k - 1]: each loss followed back k steps. by_window[k]: windows of k, end to end.
    within_reach, within_window: the smallest k from which on the error is at most `tolerance`.
    """

    tolerance: float
    by_reach: list[Agreement]
    by_window: dict[int, Agreement]
    within_reach: int | None
    within_window: int | None


def truncation(problem: Problem, activation: Activation, most: int, tolerance: float) -> Truncation:
    """Every reach up to `most`, and windows of 1, 2, 4, …, and `most` characters.

    Raises: CharrnnError where the full gradient is not finite.
    """
    lengths = sorted({most, *(2**n for n in range(most.bit_length()))})
    with np.errstate(over="ignore", invalid="ignore"):
        full = bptt(*problem, activation, "sum")[1]
        if not np.isfinite(np.linalg.norm(full.flat)):
            raise CharrnnError(
                "the full gradient is beyond all numbers: none can be compared with it.",
                "look back over less with --lags, or leave out --truncation.",
            )
        reaches = by_reach(problem, activation, full, most)
        windows = by_window(problem, activation, full, lengths)
    within, tiled = smallest_within(tolerance, reaches), smallest_within(tolerance, windows)
    return Truncation(
        tolerance,
        reaches,
        dict(zip(lengths, windows, strict=True)),
        None if within is None else within + 1,
        None if tiled is None else lengths[tiled],
    )


def agreement(gradient: Params, full: Params) -> Agreement:
    """How well a gradient stands for the full one; one that is zero, for itself."""
    g, G = (
        np.concatenate([array.ravel() for _, array in params.named()])
        for params in (gradient, full)
    )
    length, full_length = np.linalg.norm(g), np.linalg.norm(G)
    if length == full_length == 0:
        return Agreement(1.0, 1.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return Agreement(
            float(g @ G / (length * full_length)),
            float(length / full_length),
            float(np.linalg.norm(g - G) / full_length),
        )


def by_reach(problem: Problem, activation: Activation, full: Params, most: int) -> list[Agreement]:
    """Entry k2 - 1: each loss is followed back k2 steps, for k2 = 1, …, most.

    It is (14) with t - k < k2, and so BPTT(1, k2) at fixed weights, equation (19).
    """
    # V and c do not depend on the past
    gradient = full.zeros_like()
    gradient.V[...] = full.V
    if gradient.c is not None:
        gradient.c[...] = full.c
    one_hot = np.eye(full.alphabet_size)
    found = []
    for _, _, da, h, x in by_lag(problem, activation, most - 1):
        rows = da.reshape(-1, full.hidden_size)
        gradient.W[...] += rows.T @ h.reshape(rows.shape)
        gradient.U[...] += rows.T @ one_hot[x.reshape(-1)]
        if gradient.b is not None:
            gradient.b[...] += rows.sum(axis=0)
        found.append(agreement(gradient, full))
    return found


def by_window(
    problem: Problem, activation: Activation, full: Params, lengths: list[int]
) -> list[Agreement]:
    """The same losses in windows of each length, end to end: BPTT(K, K), equation (19)."""
    params, (x, y, *_), h0 = problem
    h = states(params, x, h0, activation)
    first = problem.window.first_loss  # the steps before only warm the state
    found = []
    for length in lengths:
        missing = -(len(x) - first) % length
        # each window becomes a lane, which starts from its own state
        tiles = [
            _tiled(np.pad(ids[first:], ((0, missing), (0, 0)), constant_values=padding), length)
            for ids, padding in ((x, 0), (y, NO_TARGET))
        ]
        starts = h[first:-1:length].reshape(-1, params.hidden_size)
        window = Window(tiles[0], tiles[1], np.zeros(len(starts), dtype=bool))
        gradient = bptt(params, window, starts, activation, "sum")[1]
        found.append(agreement(gradient, full))
    return found


def _tiled(ids: Array, length: int) -> Array:
    """(N·length, B) as (length, N·B)."""
    B = ids.shape[1]
    return ids.reshape(-1, length, B).transpose(1, 0, 2).reshape(length, -1)


def smallest_within(tolerance: float, found: list[Agreement]) -> int | None:
    """The first place from which on every error is within the tolerance; None: there is none."""
    wrong = [place for place, one in enumerate(found) if not one.error <= tolerance]
    place = wrong[-1] + 1 if wrong else 0
    return place if place < len(found) else None
