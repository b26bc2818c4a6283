"""How a loss flows back through time, lag by lag."""

from collections.abc import Iterator
from math import exp, inf, log
from typing import Literal, NamedTuple

import numpy as np

from charrnn.analysis.problems import Problem
from charrnn.model.activations import Activation
from charrnn.model.loss import loss_and_logit_gradient
from charrnn.model.rnn import logits, states
from charrnn.window import Array

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
    T = len(x)
    first = int((y >= 0).any(axis=1).argmax()) + 1  # the first step t with a loss
    do = loss_and_logit_gradient(logits(params, h[first:]), y[first - 1 :])[1]
    dh = do @ params.V  # Vᵀ do_t
    for lag in range(min(lags, T) + 1):
        oldest = max(first, lag)  # the first t whose h_{t-l} is in the window; h_0 is
        k = slice(max(oldest - lag, 1), T - lag + 1)
        da = dh[len(dh) - (k.stop - k.start) :].copy()
        activation.backward(h[k], da)
        before = slice(k.start - 1, k.stop - 1)
        yield Lag(dh, y[oldest - 1 :] >= 0, da, h[before], x[before])
        dh = da @ params.W  # Wᵀ D_{t-l} ∂L_t/∂h_{t-l}


class Profile(NamedTuple):
    """Means over the losses that reach back over l steps; no entry where none does.

    norms[l]: of ‖∂L_t/∂h_{t-l}‖. starts[l]: of ‖∂L_t/∂h_t‖ of the same losses, so that (18) says
    norms[l] ≤ (γσ₁)^l starts[l].
    """

    norms: Array
    starts: Array


def lag_profile(problem: Problem, activation: Activation, lags: int) -> Profile:
    """How much of a loss's gradient comes how far back."""
    norms: list[float] = []
    starts: list[float] = []
    start = None
    with np.errstate(over="ignore", invalid="ignore"):  # an explosion is told as such
        for dh, counted, *_ in by_lag(problem, activation, lags):
            if not counted.any():
                break
            norm = np.linalg.norm(dh, axis=-1)
            start = norm if start is None else start
            norms.append(float(norm[counted].mean()))
            starts.append(float(start[-len(norm) :][counted].mean()))
    return Profile(np.array(norms), np.array(starts))


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


def decay(norms: Array) -> Decay:
    """The decay of a profile (L + 1,), L ≥ 1, by least squares of its logarithm."""
    with np.errstate(divide="ignore"):
        logarithms = np.log(norms)
    lags = np.flatnonzero(np.isfinite(logarithms) & (np.arange(len(norms)) > 0))
    if len(lags) < len(norms) - 1 and len(lags) < 2:  # all of it is gone at once, or beyond numbers
        rate = 0.0 if np.isfinite(norms).all() else inf
    elif len(lags) == 1:
        rate = float(norms[1] / norms[0])
    else:
        rate = exp(np.polyfit(lags, logarithms[lags], 1)[0])
    above = np.flatnonzero(~(norms < 0.01 * norms[0]))
    after = int(above[-1]) + 1
    half_life = 0.0 if rate in (0.0, inf) else inf if rate == 1 else abs(log(2) / log(rate))
    kind: Literal["vanishing", "steady", "exploding"] = "steady"
    if abs(rate - 1) >= STEADY:
        kind = "vanishing" if rate < 1 else "exploding"
    return Decay(kind, rate, half_life, after if after < len(norms) else None)
