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
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.rnn import logits, states

EXPONENTS = 8


@dataclass(frozen=True)
class Flow:
    """The flow through one model. losses[l]: how many were followed back over l characters.

    recurrent_gain: the scale of W, where several are compared.
    norms[l]: mean ‖∂L_t/∂h_{t-l}‖. bound[l]: the most that (18) allows it, by contraction = γσ₁:
    below 1 the gradient has to vanish.
    """

    activation: str
    recurrent_gain: float | None
    losses: Array
    norms: Array
    bound: Array
    decay: Decay
    contraction: float
    spectrum: Spectrum
    lyapunov_exponents: Array
    saturation: Saturation


@dataclass(frozen=True)
class GradientFlow:
    """The flow through a model, or of several that are compared, and what truncation costs."""

    model: str
    hidden_size: int
    alphabet_size: int
    lines: bool
    flows: list[Flow]
    truncation: Truncation | None


def measure_flow(
    problem: Problem,
    activation: Activation,
    lags: int,
    random: Generator,
    recurrent_gain: float | None = None,
) -> Flow:
    """Everything about one model on one window, whose losses are followed back over `lags`.

    Raises: CharrnnError where the state grows beyond all numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        h = states(problem.params, problem.window.x, problem.h0, activation)
        beyond = np.flatnonzero(~np.isfinite(logits(problem.params, h)).all(axis=(1, 2)))
    if len(beyond):
        raise CharrnnError(
            f"the state of the {activation.name} network is beyond all numbers after "
            f"{beyond[0]:,} characters.",
            f"look back over less, such as --lags {max(int(beyond[0]) // 4, 1)}, or lower "
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
        decay(profile.left),
        contraction,
        W,
        lyapunov_exponents(problem, activation, random, EXPONENTS),
        saturation(problem, activation),
    )
