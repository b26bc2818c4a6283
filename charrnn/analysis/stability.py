"""What decides whether a gradient vanishes: spectrum of W, slopes, Lyapunov exponents."""

import numpy as np
from numpy.random import Generator

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.results import Saturation, Spectrum


def spectrum(W: Array) -> Spectrum:
    """Singular values and spectral radius of the recurrent weights (H, H)."""
    singular_values = np.linalg.svd(W, compute_uv=False)
    return Spectrum(singular_values, float(np.abs(np.linalg.eigvals(W)).max()))


def saturation(problem: Problem, activation: Activation) -> list[Saturation]:
    """Measures the slopes f′(a_t) of the units along a window.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.

    Returns:
        Their statistics in each layer, over all steps up to each lane's last target.
    """
    found = []
    for slopes in problem.params.by_layer(_slopes(problem, activation)):
        slopes = slopes[_before_padding(problem)]
        flat = slopes < 0.1 * activation.steepest
        found.append(
            Saturation(float(slopes.mean()), float(flat.mean()), int(flat.all(axis=0).sum()))
        )
    return found


def lyapunov_exponents(
    problem: Problem, activation: Activation, random: Generator, count: int
) -> Array:
    """Largest Lyapunov exponents along a window, of all layers together, equation (21).

    If the largest is positive nearby states diverge, if it is negative they converge.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.
        random: Source of the initial directions.
        count: The number of exponents.

    Returns:
        Exponents (count,), at most L·H, in nats per character, largest first; -inf where a
        direction vanishes. They are means over the steps of all lanes but the first quarter of
        each, in which the directions settle.

    Reference:
        Benettin et al. 1980, "Lyapunov characteristic exponents for smooth dynamical systems",
        Meccanica 15; for trained RNNs Vogt et al. 2022, "On Lyapunov exponents for RNNs", arXiv
        2006.14123.
    """
    params = problem.params
    D = _slopes(problem, activation)
    T, B, size = D.shape
    inside = _before_padding(problem)
    measured = inside & (np.arange(T)[:, None] >= inside.sum(axis=0) // 4)
    Q = np.linalg.qr(random.standard_normal((B, size, min(count, size))))[0]
    total = np.zeros(Q.shape[-1])
    for t in range(T):
        Q, R = np.linalg.qr(_tangent(params, D[t], Q))
        growth = np.abs(np.diagonal(R, axis1=1, axis2=2))[measured[t]]
        with np.errstate(divide="ignore"):
            total += np.log(growth).sum(axis=0)
    return np.sort(total / measured.sum())[::-1]


def _tangent(params: Params, D: Array, Q: Array) -> Array:
    """J_t Q (B, L·H, n), equation (25), for directions Q and D_t's diagonal (B, L·H)."""
    out = np.empty_like(Q)
    H = params.hidden_size
    for n, layer in enumerate(params.layers):
        own = slice(n * H, (n + 1) * H)
        moved = layer.W @ Q[:, own]
        if n:
            moved += layer.U @ out[:, own.start - H : own.start]
        out[:, own] = D[:, own, None] * moved
    return out


def _before_padding(problem: Problem) -> Array:
    """Whether a step (T, B) is not past its lane's last target, where padding begins."""
    targets = problem.window.y >= 0
    before_padding: Array = np.logical_or.accumulate(targets[::-1])[::-1]
    return before_padding


def _slopes(problem: Problem, activation: Activation) -> Array:
    """f′(a_t) at every step (T, B, L·H), D_t's diagonal."""
    params, (x, *_), h0, _ = problem
    return activation.slopes(states(params, x, h0, activation)[1:])
