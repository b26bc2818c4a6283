"""What decides whether a gradient vanishes: the spectrum of W, the slopes, the exponents."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.rnn import states


class Spectrum(NamedTuple):
    """Singular values of W (H,), largest first, and the largest modulus of its eigenvalues."""

    singular_values: Array
    radius: float


def spectrum(W: Array) -> Spectrum:
    """The spectrum of the recurrent weights (H, H)."""
    singular_values = np.linalg.svd(W, compute_uv=False)
    return Spectrum(singular_values, float(np.abs(np.linalg.eigvals(W)).max()))


class Saturation(NamedTuple):
    """The slopes f′(a) of all units at all steps.

    mean: over both. saturated: the share below a tenth of the steepest, γ. stuck: the number of
    units that are below it at every step.
    """

    mean: float
    saturated: float
    stuck: int


def saturation(problem: Problem, activation: Activation) -> Saturation:
    """How much of the slopes is left where the text leads the units."""
    slopes = _slopes(problem, activation)[_inside(problem)]
    flat = slopes < 0.1 * activation.steepest
    return Saturation(float(slopes.mean()), float(flat.mean()), int(flat.all(axis=0).sum()))


def lyapunov_exponents(
    problem: Problem, activation: Activation, random: Generator, count: int
) -> Array:
    """The `count` largest exponents (count,), in nats a character, equation (21).

    Mean over the steps of all lanes, after a quarter of each in which the directions settle.
    Positive: two states that differ by little part; negative: they meet. -inf where a direction is
    lost.
    Source: Benettin et al. 1980, Meccanica 15; for trained RNNs Vogt et al. 2022, arXiv 2006.14123.
    """
    W = problem.params.W
    D = _slopes(problem, activation)
    T, B, H = D.shape
    inside = _inside(problem)
    measured = inside & (np.arange(T)[:, None] >= inside.sum(axis=0) // 4)
    Q = np.linalg.qr(random.standard_normal((B, H, min(count, H))))[0]
    total = np.zeros(Q.shape[-1])
    for t in range(T):
        Q, R = np.linalg.qr(D[t][:, :, None] * (W @ Q))
        growth = np.abs(np.diagonal(R, axis1=1, axis2=2))[measured[t]]
        with np.errstate(divide="ignore"):
            total += np.log(growth).sum(axis=0)
    return np.sort(total / measured.sum())[::-1]


def _inside(problem: Problem) -> Array:
    """The steps (T, B) up to each lane's last target: behind it is padding."""
    targets = problem.window.y >= 0
    inside: Array = np.logical_or.accumulate(targets[::-1])[::-1]
    return inside


def _slopes(problem: Problem, activation: Activation) -> Array:
    """f′(a_t) at every step (T, B, H), D_t's diagonal."""
    params, (x, *_), h0 = problem
    h = states(params, x, h0, activation)[1:]
    slopes = np.empty_like(h)
    activation.slope(h, slopes)
    return slopes
