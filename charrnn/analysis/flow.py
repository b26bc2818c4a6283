"""How a loss flows back through time, lag by lag."""

from collections.abc import Iterator
from math import exp, inf, log
from typing import Literal, NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.loss import loss_and_logit_gradient
from charrnn.model.rnn import logits, states

SMALLEST = float(np.finfo(np.float64).tiny)
STEADY = 0.005  # the change a character below which a profile neither vanishes nor explodes


class Lag(NamedTuple):
    """What all losses send back over the same number l of steps, equation (20).

    dh (R, B, H): ∂L_t/∂h_{t-l} for each loss whose lag stays in the window, oldest first.
    counted (R, B): whether there is such a loss, its target being no padding.
    The other three are of those R' rows whose state is inside the window: da (R', B, H) =
    D_{t-l} dh, the derivative by a_{t-l}; h (R', B, H) the state before, h_{t-l-1}; x (R', B)
    the ids read, x_{t-l}.
    """

    dh: Array
    counted: Array
    da: Array
    h: Array
    x: Array


def by_lag(problem: Problem, activation: Activation, lags: int) -> Iterator[Lag]:
    """l = 0, 1, …, lags, as far as the window reaches. Nothing is divided by a reduction.

    All losses move back together: a lag costs one product with W for the whole window, where
    the double sum (14) follows each loss by itself.
    """
    params, (x, y, *_), h0 = problem
    h = states(params, x, h0, activation)
    slope = np.empty_like(h)
    activation.slope(h, slope)
    T = len(x)
    first = problem.window.first_loss + 1  # t counts from 1
    do = loss_and_logit_gradient(logits(params, h[first:]), y[first - 1 :])[1]
    dh = do @ params.V  # Vᵀ do_t
    for lag in range(min(lags, T) + 1):
        oldest = max(first, lag)  # the first t whose h_{t-l} is in the window; h_0 is
        k = slice(max(oldest - lag, 1), T - lag + 1)
        da = slope[k] * dh[len(dh) - (k.stop - k.start) :]
        before = slice(k.start - 1, k.stop - 1)
        yield Lag(dh, y[oldest - 1 :] >= 0, da, h[before], x[before])
        dh = da @ params.W  # Wᵀ D_{t-l} ∂L_t/∂h_{t-l}


class Profile(NamedTuple):
    """Means over the losses that reach back over l steps.

    There is no entry where none does, nor from where on the numbers end.
    norms[l]: of ‖∂L_t/∂h_{t-l}‖. starts[l]: of ‖∂L_t/∂h_t‖ of the same losses, so that (18) says
    norms[l] ≤ (γσ₁)^l starts[l]. losses[l]: how many they are.
    """

    norms: Array
    starts: Array
    losses: Array

    @property
    def left(self) -> Array:
        """What is left of the same losses' gradient, whichever losses reach so far."""
        left: Array = self.norms / np.maximum(self.starts, SMALLEST)
        return left


def lag_profile(problem: Problem, activation: Activation, lags: int) -> Profile:
    """How much of a loss's gradient comes how far back.

    Raises: CharrnnError where not even the nearest is finite.
    """
    found: list[tuple[float, float, int]] = []
    start = None
    with np.errstate(over="ignore", invalid="ignore"):  # an explosion is told as such
        for dh, counted, *_ in by_lag(problem, activation, lags):
            norm = np.linalg.norm(dh, axis=-1)
            start = norm if start is None else start
            if not counted.any() or not np.isfinite(norm).all():
                break
            of_these = start[-len(norm) :][counted]
            found.append((norm[counted].mean(), of_these.mean(), len(of_these)))
    if not found:
        raise CharrnnError(
            "the gradient is beyond all numbers at once.", "the model's weights are too large."
        )
    return Profile(*(np.array(column) for column in zip(*found, strict=True)))


class Decay(NamedTuple):
    """How a profile falls or rises.

    kind: steady is a change of less than half a percent a character.
    rate: the factor a character, of the exponential that fits the lags from 1 on best.
    half_life: characters in which it halves, or doubles where it rises; inf where it stays.
    one_percent: the first lag from which on less than 1 % is left of lag 0; None: none of them.
    """

    kind: Literal["vanishing", "steady", "exploding"]
    rate: float
    half_life: float
    one_percent: int | None


def decay(left: Array) -> Decay:
    """The decay of what is left (L + 1,), from 1 at lag 0, by least squares of its logarithm."""
    lags = np.flatnonzero((left > 0) & (np.arange(len(left)) > 0))
    if len(lags) > 1:
        rate = exp(np.polyfit(lags, np.log(left[lags]), 1)[0])
    else:  # of a single lag; or all of it is gone at once, or beyond all numbers
        rate = float(left[1]) if len(left) > 1 else inf
    above = np.flatnonzero(left >= 0.01)
    after = int(above[-1]) + 1 if len(above) else 0
    half_life = 0.0 if rate in (0.0, inf) else inf if rate == 1 else abs(log(2) / log(rate))
    kind: Literal["vanishing", "steady", "exploding"] = "steady"
    if abs(rate - 1) >= STEADY:
        kind = "vanishing" if rate < 1 else "exploding"
    return Decay(kind, rate, half_life, after if after < len(left) else None)
