"""What decides whether a gradient vanishes: spectrum of W, slopes, Lyapunov exponents."""

import numpy as np
from numpy.random import Generator

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.rnn import states
from charrnn.results import Saturation, Spectrum


def spectrum(W: Array) -> Spectrum:
    """Singular values and spectral radius of the recurrent weights (H, H)."""
    singular_values = np.linalg.svd(W, compute_uv=False)
    return Spectrum(singular_values, float(np.abs(np.linalg.eigvals(W)).max()))


def saturation(problem: Problem, activation: Activation) -> Saturation:
    """Measures the slopes f′(a_t) of the units along a window.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.

    Returns:
        Their statistics over all steps up to each lane's last target.
    """
    slopes = _slopes(problem, activation)[_before_padding(problem)]
    flat = slopes < 0.1 * activation.steepest
    return Saturation(float(slopes.mean()), float(flat.mean()), int(flat.all(axis=0).sum()))


def lyapunov_exponents(
    problem: Problem, activation: Activation, random: Generator, count: int
) -> Array:
    """Largest Lyapunov exponents along a window, equation (21).

    If the largest is positive nearby states diverge, if it is negative they converge.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.
        random: Source of the initial directions.
        count: The number of exponents.

    Returns:
        Exponents (count,), at most H, in nats per character, largest first; -inf where a direction
        vanishes. They are means over the steps of all lanes but the first quarter of each, in which
        the directions settle.

    Reference:
        Benettin et al. 1980, "Lyapunov characteristic exponents for smooth dynamical systems",
        Meccanica 15; for trained RNNs Vogt et al. 2022, "On Lyapunov exponents for RNNs", arXiv
        2006.14123.
    """
    W = problem.params.W
    D = _slopes(problem, activation)
    T, B, H = D.shape
    inside = _before_padding(problem)
    measured = inside & (np.arange(T)[:, None] >= inside.sum(axis=0) // 4)
    Q = np.linalg.qr(random.standard_normal((B, H, min(count, H))))[0]
    total = np.zeros(Q.shape[-1])
    for t in range(T):
        Q, R = np.linalg.qr(D[t][:, :, None] * (W @ Q))
        growth = np.abs(np.diagonal(R, axis1=1, axis2=2))[measured[t]]
        with np.errstate(divide="ignore"):
            total += np.log(growth).sum(axis=0)
    return np.sort(total / measured.sum())[::-1]


def _before_padding(problem: Problem) -> Array:
    """Whether a step (T, B) is not past its lane's last target, where padding begins."""
    targets = problem.window.y >= 0
    before_padding: Array = np.logical_or.accumulate(targets[::-1])[::-1]
    return before_padding


def _slopes(problem: Problem, activation: Activation) -> Array:
    """f′(a_t) at every step (T, B, H), D_t's diagonal."""
    params, (x, *_), h0, _ = problem
    h = states(params, x, h0, activation)[1:]
    slopes = np.empty_like(h)
    activation.slope(h, slopes)
    return slopes
