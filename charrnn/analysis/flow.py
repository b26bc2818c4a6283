"""How the gradient of a loss flows back through time, lag by lag."""

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
from charrnn.results import Decay

SMALLEST_FLOAT = float(np.finfo(np.float64).tiny)
LARGEST_FLOAT = float(np.finfo(np.float64).max)
MAX_STEADY_CHANGE = 0.005  # per character; a profile that changes less is steady


class Lag(NamedTuple):
    """The gradients of all losses over the same number l of steps, equation (20).

    The states of all layers stand side by side. The last three are of the R' rows whose state is
    inside the window.

    Attributes:
        dh: ∂L_t/∂h_{t-l} (R, B, L·H) of each loss whose lag stays in the window, oldest first: of a
            layer through those above it too, but for the state before the window.
        has_loss: (R, B) whether the target is one, and no padding.
        da: D_{t-l} ∂L_t/∂h_{t-l} (R', B, L·H), the derivative by a_{t-l}.
        before: The states before, h_{t-l-1} (R', B, L·H).
        steps: The steps t-l - 1, counted from 0, of these rows.
    """

    dh: Array
    has_loss: Array
    da: Array
    before: Array
    steps: slice


def by_lag(problem: Problem, activation: Activation, lags: int) -> Iterator[Lag]:
    """Follows the summed loss back, all of its terms together, one step at a time.

    A lag costs a few products with the weights for the whole window, where the double sum (14)
    follows each loss by itself.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.
        lags: The last lag.

    Yields:
        The lags l = 0, 1, …, lags, as far as the window reaches.
    """
    params, (x, y, *_), h0, _ = problem
    h = states(params, x, h0, activation)
    slope = activation.slopes(h)
    T = len(x)
    first = problem.window.first_loss + 1  # t counts from 1
    do = loss_and_logit_gradient(logits(params, h[first:]), y[first - 1 :])[1]
    dh = np.zeros_like(h[first:])
    params.by_layer(dh)[-1][...] = do @ params.V  # Vᵀ do_t
    for lag in range(min(lags, T) + 1):
        oldest = max(first, lag)  # the first t whose h_{t-l} is in the window; h_0 is
        k = slice(max(oldest - lag, 1), T - lag + 1)
        inside = slice(len(dh) - (k.stop - k.start), None)
        da = np.empty_like(dh[inside])
        das, dhs, slopes = map(params.by_layer, (da, dh[inside], slope[k]))
        for n in reversed(range(params.depth)):
            das[n][...] = slopes[n] * dhs[n]
            if n:
                dhs[n - 1] += das[n] @ params.layers[n].U  # Uᵀ da of (23)
        steps = slice(k.start - 1, k.stop - 1)
        yield Lag(dh, y[oldest - 1 :] >= 0, da, h[steps], steps)
        dh = np.empty_like(da)
        for layer, own, own_da in zip(params.layers, params.by_layer(dh), das, strict=True):
            own[...] = own_da @ layer.W  # Wᵀ D_{t-l} ∂L_t/∂h_{t-l}


class Profile(NamedTuple):
    """Mean gradient norms, in one layer, of the losses that reach back over l steps.

    It ends at the last lag that a loss reaches, and before the first that is not finite.

    Attributes:
        norms: norms[l] is the mean ‖∂L_t/∂h_{t-l}‖.
        starts: starts[l] is the mean ‖∂L_t/∂h_t‖ of the same losses, so that (18) says
            norms[l] ≤ (γσ₁)^l starts[l] in the top layer.
        losses: losses[l] is the number of these losses.
    """

    norms: Array
    starts: Array
    losses: Array

    @property
    def remaining(self) -> Array:
        """The fraction of the gradient of the same losses that is left at each lag, finite.

        In a layer below the top one it may be 0 at lag 0, where no unit is active, but not later.
        """
        with np.errstate(over="ignore"):
            remaining = self.norms / np.maximum(self.starts, SMALLEST_FLOAT)
        return np.minimum(remaining, LARGEST_FLOAT)


def lag_profiles(problem: Problem, activation: Activation, lags: int) -> list[Profile]:
    """Measures how much of the gradient of a loss reaches how far back.

    Args:
        problem: Weights, window and initial state.
        activation: The activation f.
        lags: The last lag.

    Returns:
        The profile of each layer, from the first up.

    Raises:
        CharrnnError: The gradient is not finite at lag 0.
    """
    by_layer = problem.params.by_layer
    norms: list[list[float]] = []  # a row for each lag, an entry for each layer
    starts: list[list[float]] = []
    losses: list[int] = []
    start: list[Array] = []
    with np.errstate(over="ignore", invalid="ignore"):  # the norms show an explosion
        for lag in by_lag(problem, activation, lags):
            norm = [np.linalg.norm(dh, axis=-1) for dh in by_layer(lag.dh)]
            start = start or norm
            if not lag.has_loss.any() or not np.isfinite(norm).all():
                break
            norms.append([each[lag.has_loss].mean() for each in norm])
            same_losses = [each[-len(norm[0]) :][lag.has_loss] for each in start]
            starts.append([each.mean() for each in same_losses])
            losses.append(len(same_losses[0]))
    if not norms:
        raise CharrnnError(
            "the gradient overflowed before it flowed back a step.",
            "the model's weights are too large.",
        )
    return [
        Profile(np.array(of_layer), np.array(its_starts), np.array(losses))
        for of_layer, its_starts in zip(
            zip(*norms, strict=True), zip(*starts, strict=True), strict=True
        )
    ]


def decay(remaining: Array) -> Decay:
    """Fits an exponential to a profile by least squares of its logarithm.

    Args:
        remaining: The fraction that is left at each lag (L+1,), 1 at lag 0.

    Returns:
        The decay.
    """
    lags = np.flatnonzero((remaining > 0) & (np.arange(len(remaining)) > 0))
    if len(lags) > 1:
        slope = np.polyfit(lags, np.log(remaining[lags]), 1)[0]
        rate = exp(min(slope, log(LARGEST_FLOAT)))
    else:  # a single lag; or all of it vanished at once, or overflowed
        rate = float(remaining[1]) if len(remaining) > 1 else inf
    above = np.flatnonzero(remaining >= 0.01)
    after = int(above[-1]) + 1 if len(above) else 0
    half_life = 0.0 if rate in (0.0, inf) else inf if rate == 1 else abs(log(2) / log(rate))
    kind: Literal["vanishing", "steady", "exploding"] = "steady"
    if abs(rate - 1) >= MAX_STEADY_CHANGE:
        kind = "vanishing" if rate < 1 else "exploding"
    return Decay(kind, rate, half_life, after if after < len(remaining) else None)


def decays(profiles: list[Profile]) -> list[tuple[int, Decay]]:
    """Fits the decay of each layer.

    Args:
        profiles: The profile of each layer, from the first up.

    Returns:
        The lag from which on each is fitted, 0 in the top layer, and the decay.
    """
    *below, top = (profile.remaining for profile in profiles)
    return [*map(decay_from_peak, below), (0, decay(top))]


def decay_from_peak(remaining: Array) -> tuple[int, Decay]:
    """Fits an exponential to a profile from its largest value on.

    In a layer below the top one the gradient may grow over many lags at first, while more and more
    comes down from the layers above, whatever its rate in the long run.

    Args:
        remaining: The fraction that is left at each lag (L+1,), 1 at lag 0.

    Returns:
        The lag of the largest value, and the decay from there on; that from lag 0 if it is the
        last.
    """
    peak = int(remaining.argmax())
    if peak == len(remaining) - 1:
        return peak, decay(remaining)
    found = decay(remaining[peak:] / max(remaining[peak], SMALLEST_FLOAT))
    one_percent = None if found.one_percent is None else peak + found.one_percent
    return peak, found._replace(one_percent=one_percent)
