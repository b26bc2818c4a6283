"""The derivative of the loss along a direction in all weights, and how far rounding moves it."""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.random import Generator, default_rng

from charrnn.analysis.complex_step import STEP
from charrnn.analysis.problems import Problem
from charrnn.analysis.rounding import MARGIN, logit_rounding
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import divisor
from charrnn.model.loss import cross_entropy, softmax
from charrnn.model.params import Params
from charrnn.model.rnn import joint, logits, states

PERTURBATIONS = 4  # of the weights in their last digit
CHAOS_MARGIN = 64  # by which rounding may move an entry further than a derivative in this sample


class Tangent(NamedTuple):
    """A derivative along a direction, and a bound on what rounding ŷ - y in (8) makes of it."""

    derivative: float
    noise: float


def scales_of(params: Params) -> Array:
    """1 / √inputs of every weight (N,); 1 for biases, and for U with its one-hot inputs."""
    scales = params.zeros_like()
    first = "U" + params.layout.suffixes[0]
    for name, array in scales.named():
        array[...] = 1 if array.ndim == 1 or name == first else 1 / sqrt(array.shape[1])
    return scales.flat


def direction_in(params: Params, part: slice, random: Generator) -> Array:
    """A direction (N,) in a part of the weights: random signs, 1/2 to 3/2 times their scales."""
    size = part.stop - part.start
    direction = np.zeros(params.size)
    direction[part] = random.choice([-1.0, 1.0], size) * random.uniform(0.5, 1.5, size)
    direction *= scales_of(params)
    return direction


def derivative_along(
    problem: Problem, activation: Activation, reduction: str, direction: Array
) -> Tangent:
    """The derivative by the complex step.

    It is Σ_t do_t · ∂o_t, with the derivative of the logits, so the rounding errors of do_t in (8)
    add up as the terms of this sum.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        direction: What the weights move along (N,).
    """
    params, (x, y, *_), h0, mask = problem
    shifted = params.map(lambda flat: flat + 1j * STEP * direction)
    h = states(shifted, x, h0, activation, mask=mask)[1:]
    o = logits(shifted, h if mask is None else h * joint(mask))
    scale = divisor(problem.window, reduction)
    derivative = float(cross_entropy(o, y).sum().imag / STEP / scale)
    targets = np.zeros(o.shape)
    np.put_along_axis(targets, np.maximum(y, 0)[..., None], (y >= 0)[..., None], axis=-1)
    do = (softmax(o.real) - targets) * (y >= 0)[..., None] / scale
    errors = logit_rounding(do, targets, scale) * o.imag / STEP
    return Tangent(derivative, MARGIN * float(np.linalg.norm(errors)))


def conditioning(
    problem: Problem, activation: Activation, reduction: str, direction: Array
) -> float:
    """How far rounding in the forward pass can move a derivative: far in a chaotic network.

    There, states that differ in their last digit drift apart along the text, and with them the
    derivatives that two correct methods compute.

    Args:
        problem: Weights, window and initial state in float64.
        activation: The activation f.
        reduction: "sum" or "mean".
        direction: What the weights move along (N,).

    Returns:
        The largest change of the derivative when every weight changes in its last digit.
    """
    random, found = default_rng(0), []
    for _ in range(PERTURBATIONS + 1):
        found.append(derivative_along(problem, activation, reduction, direction).derivative)
        last_digits = np.finfo(np.float64).eps * random.choice([-1.0, 1.0], direction.size)
        moved = problem.params.map(lambda flat, by=last_digits: flat * (1 + by))  # type: ignore[misc]
        problem = problem._replace(params=moved)
    return CHAOS_MARGIN * (max(found) - min(found))
