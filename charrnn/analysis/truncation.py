"""What truncation costs: truncated gradients compared with the full one."""

import numpy as np

from charrnn.analysis.flow import by_lag
from charrnn.analysis.problems import Problem, one_hot
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.bptt import bptt
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.results import Agreement, Truncation
from charrnn.window import NO_TARGET, Window


def truncation(
    problem: Problem, activation: Activation, longest: int, tolerance: float
) -> Truncation:
    """Measures the error of every reach up to a length, and of windows of 1, 2, 4, … characters.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        longest: The longest reach and window.
        tolerance: The relative error to accept.

    Returns:
        The errors, and the shortest reach and window within the tolerance.

    Raises:
        CharrnnError: The full gradient is not finite.
    """
    lengths = sorted({longest, *(2**n for n in range(longest.bit_length()))})
    with np.errstate(over="ignore", invalid="ignore"):
        full = bptt(problem.params, problem.window, problem.h0, activation, "sum")[1]
        if not np.isfinite(np.linalg.norm(full.flat)):
            raise CharrnnError(
                "the full gradient overflowed, so there is nothing to compare with.",
                "look back over fewer characters with `lags`, or leave out `truncation`.",
            )
        reaches = by_reach(problem, activation, full, longest)
        windows = by_window(problem, activation, full, lengths)
    reach, window = first_within(tolerance, reaches), first_within(tolerance, windows)
    return Truncation(
        tolerance,
        reaches,
        dict(zip(lengths, windows, strict=True)),
        None if reach is None else reach + 1,
        None if window is None else lengths[window],
    )


def agreement(g: Array, G: Array) -> Agreement:
    """Compares a gradient with the full one.

    Args:
        g: The gradient (N,).
        G: The full gradient (N,).

    Returns:
        Cosine, ratio of norms and relative error; two zero gradients agree.
    """
    length, full_length = np.linalg.norm(g), np.linalg.norm(G)
    if length == full_length == 0:
        return Agreement(1.0, 1.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return Agreement(
            float(g @ G / (length * full_length)),
            float(length / full_length),
            float(np.linalg.norm(g - G) / full_length),
        )


def by_reach(
    problem: Problem, activation: Activation, full: Params, longest: int
) -> list[Agreement]:
    """Compares the gradients in which each loss is followed back k2 steps with the full one.

    This is (14) with t - k < k2, and so BPTT(1, k2) at fixed weights, equation (19).

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        full: The full gradient of the summed loss.
        longest: The last k2.

    Returns:
        Entry k2 - 1 for k2 = 1, …, longest.
    """
    # V and c do not depend on the past
    gradient = full.zeros_like().replace(
        **{name: array for name, array in full.named() if name in ("V", "c")}
    )
    params, (x, *_), h0, _ = problem
    inputs = [
        one_hot(x, full.alphabet_size),
        *params.by_layer(states(params, x, h0, activation)[1:])[:-1],
    ]
    found = []
    for lag in by_lag(problem, activation, longest - 1):
        for layer, da, before, below in zip(
            gradient.layers, *map(params.by_layer, (lag.da, lag.before)), inputs, strict=True
        ):
            rows = da.reshape(-1, params.hidden_size)
            layer.W[...] += rows.T @ before.reshape(rows.shape)
            layer.U[...] += rows.T @ below[lag.steps].reshape(len(rows), -1)
            if layer.b is not None:
                layer.b[...] += rows.sum(axis=0)
        found.append(agreement(gradient.flat, full.flat))
    return found


def by_window(
    problem: Problem, activation: Activation, full: Params, lengths: list[int]
) -> list[Agreement]:
    """Compares the gradients of windows end to end with the full one: BPTT(K, K), equation (19).

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        full: The full gradient of the summed loss.
        lengths: The lengths K.

    Returns:
        An entry for each length.
    """
    params, (x, y, *_), h0, _ = problem
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
        starts = h[first:-1:length].reshape(-1, params.state_size)
        window = Window(tiles[0], tiles[1], np.zeros(len(starts), dtype=bool))
        gradient = bptt(params, window, starts, activation, "sum")[1]
        found.append(agreement(gradient.flat, full.flat))
    return found


def _tiled(ids: Array, length: int) -> Array:
    """Reshapes (N·length, B) to (length, N·B)."""
    B = ids.shape[1]
    return ids.reshape(-1, length, B).transpose(1, 0, 2).reshape(length, -1)


def first_within(tolerance: float, agreements: list[Agreement]) -> int | None:
    """The first index from which on every error is within the tolerance, or None."""
    wrong = [index for index, one in enumerate(agreements) if not one.error <= tolerance]
    first = wrong[-1] + 1 if wrong else 0
    return first if first < len(agreements) else None
