"""All measurements of the gradient flow through a model on a text."""

import numpy as np
from numpy.random import Generator

from charrnn.analysis.flow import Profile, decays, lag_profiles
from charrnn.analysis.problems import Problem
from charrnn.analysis.stability import lyapunov_exponents, saturation, spectrum
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.results import Flow

EXPONENT_COUNT = 8


def measure_flow(
    problem: Problem,
    activation: Activation,
    lags: int,
    random: Generator,
    recurrent_gain: float | None = None,
) -> list[Flow]:
    """Measures the gradient flow through one model on one window.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        lags: The number of steps to follow losses back.
        random: Source of the initial directions of the Lyapunov exponents.
        recurrent_gain: The scale of W, if several are compared.

    Returns:
        The measurements of each layer, from the first up.

    Raises:
        CharrnnError: The state or the gradient overflowed.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        h = states(problem.params, problem.window.x, problem.h0, activation)
        overflowed = np.flatnonzero(~np.isfinite(logits(problem.params, h)).all(axis=(1, 2)))
    if len(overflowed):
        after = int(overflowed[0])
        raise CharrnnError(
            f"the state of the {activation.name} network overflowed after {after:,} characters.",
            f"look back over fewer, such as `lags={max(after // 4, 1)}`, or lower "
            "model.initialization.recurrent_gain.",
        )
    params = problem.params
    profiles = lag_profiles(problem, activation, lags)
    spectra = [spectrum(layer.W) for layer in params.layers]
    bounds = _bounds(params, activation, [float(W.singular_values[0]) for W in spectra], profiles)
    exponents = lyapunov_exponents(problem, activation, random, EXPONENT_COUNT)
    slopes = saturation(problem, activation)
    return [
        Flow(
            activation.name,
            recurrent_gain,
            n + 1,
            profile.losses,
            profile.norms,
            bounds[n],
            fitted,
            peak,
            activation.steepest * float(spectra[n].singular_values[0]),
            spectra[n],
            exponents,
            slopes[n],
        )
        for n, (profile, (peak, fitted)) in enumerate(zip(profiles, decays(profiles), strict=True))
    ]


def _bounds(
    params: Params, activation: Activation, sigma: list[float], profiles: list[Profile]
) -> list[Array]:
    """Upper bounds (18) on the norms of each layer.

    In the top layer (γσ₁(W))^l times the norm at lag 0. In a layer below the bound c of (23) is
    c_l = γ σ₁(U) c_l^above + γ σ₁(W) c_{l-1}, with the U of the layer above.
    """
    lags, gamma = len(profiles[0].norms), activation.steepest
    starts = profiles[-1].starts
    with np.errstate(over="ignore", invalid="ignore"):
        factors = (gamma * sigma[-1]) ** np.arange(lags)
        bounds = [np.where(starts > 0, factors * starts, 0.0)]  # not ∞ · 0
        for n in reversed(range(params.depth - 1)):
            down = gamma * float(np.linalg.norm(params.layers[n + 1].U, 2))
            factors = down * factors
            for lag in range(1, lags):
                factors[lag] += gamma * sigma[n] * factors[lag - 1]
            bounds.append(np.where(starts > 0, factors * starts, 0.0))
    return bounds[::-1]
