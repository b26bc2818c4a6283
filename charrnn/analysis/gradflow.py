"""All that is measured of the gradient flow through a model on a text."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from charrnn.analysis.flow import Decay, decay, lag_profile
from charrnn.analysis.problems import Problem
from charrnn.analysis.stability import (
    Saturation,
    Spectrum,
    lyapunov_exponents,
    saturation,
    spectrum,
)
from charrnn.analysis.truncation import Truncation
from charrnn.model.activations import Activation
from charrnn.window import Array

EXPONENTS = 8


@dataclass(frozen=True)
class Flow:
    """The flow through one model. losses: how many were followed back.

    recurrent_gain: the scale of W before training; None for a trained model.
    norms[l]: mean ‖∂L_t/∂h_{t-l}‖. bound[l]: the most that (18) allows it, by contraction = γσ₁:
    below 1 the gradient has to vanish.
    """

    activation: str
    recurrent_gain: float | None
    losses: int
    norms: Array
    bound: Array
    decay: Decay
    contraction: float
    spectrum: Spectrum
    lyapunov_exponents: Array
    saturation: Saturation


@dataclass(frozen=True)
class GradientFlow:
    """One flow, or several that are compared, and what truncation costs the first."""

    title: str
    flows: list[Flow]
    truncation: Truncation | None


def measure_flow(
    problem: Problem,
    activation: Activation,
    lags: int,
    random: Generator,
    recurrent_gain: float | None = None,
) -> Flow:
    """Everything about one model on one window, whose losses are followed back over `lags`."""
    profile, W = lag_profile(problem, activation, lags), spectrum(problem.params.W)
    contraction = activation.steepest * float(W.singular_values[0])
    with np.errstate(over="ignore"):
        bound = contraction ** np.arange(len(profile.starts)) * profile.starts
    return Flow(
        activation.name,
        recurrent_gain,
        problem.window.targets,
        profile.norms,
        bound,
        decay(profile.norms),
        contraction,
        W,
        lyapunov_exponents(problem, activation, random, EXPONENTS),
        saturation(problem, activation),
    )
