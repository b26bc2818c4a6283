"""All measurements of the gradient flow through a model on a text."""

import numpy as np
from numpy.random import Generator

from charrnn.analysis.flow import decay, lag_profile
from charrnn.analysis.problems import Problem
from charrnn.analysis.stability import lyapunov_exponents, saturation, spectrum
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.rnn import logits, states
from charrnn.results import Flow

EXPONENT_COUNT = 8


def measure_flow(
    problem: Problem,
    activation: Activation,
    lags: int,
    random: Generator,
    recurrent_gain: float | None = None,
) -> Flow:
    """Measures the gradient flow through one model on one window.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        lags: The number of steps to follow losses back.
        random: Source of the initial directions of the Lyapunov exponents.
        recurrent_gain: The scale of W, if several are compared.

    Returns:
        The measurements.

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
    profile, W = lag_profile(problem, activation, lags), spectrum(problem.params.W)
    contraction = activation.steepest * float(W.singular_values[0])
    with np.errstate(over="ignore"):
        bound = contraction ** np.arange(len(profile.starts)) * profile.starts
    return Flow(
        activation.name,
        recurrent_gain,
        profile.losses,
        profile.norms,
        bound,
        decay(profile.remaining),
        contraction,
        W,
        lyapunov_exponents(problem, activation, random, EXPONENT_COUNT),
        saturation(problem, activation),
    )
