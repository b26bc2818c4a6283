"""The gradient of a window's loss, by back-propagation through time."""

from collections.abc import Callable
from math import isqrt
from typing import Any

import numpy as np

from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy, loss_and_logit_gradient
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.model.workspace import Workspace
from charrnn.window import Array, Window, first_loss

Objective = Callable[[Params, Window, Array], tuple[float, Params, Array]]

ONE_HOT_LIMIT = 192  # alphabets up to this size: dU by a product with one-hot rows


def divisor(window: Window, reduction: str) -> int:
    """What the summed loss is divided by, equation (6): 1 for a sum, the targets for a mean."""
    return max(window.targets, 1) if reduction == "mean" else 1


def window_loss(
    params: Params, window: Window, h0: Array, activation: Activation, reduction: str = "mean"
) -> Any:
    """The loss L or J, equations (1)-(6), forward only; complex where the parameters are."""
    h = states(params, window.x, h0, activation)
    losses = cross_entropy(logits(params, h[1:]), window.y)
    return losses.sum() / divisor(window, reduction)


def least_memory(time_steps: int) -> int:
    """The segment √T: as many states are kept between segments as within one.

    Source: Chen et al. 2016, arXiv 1604.06174; Gruslys et al. 2016, arXiv 1606.03401.
    """
    return isqrt(time_steps - 1) + 1


def bptt(
    params: Params,
    window: Window,
    h0: Array,
    activation: Activation,
    reduction: str = "mean",
    workspace: Workspace | None = None,
    segment: Callable[[int], int] | None = None,
) -> tuple[float, Params, Array]:
    """Loss, gradient and carried state of a window, equations (1)-(12).

    h0: state before the window (B, H), a constant: the gradient ends at the window's start.
    segment: from T to the number of steps whose states are kept at a time. Forward, only the
    state before each segment stays; backward, a segment's states are computed once more. Without
    it all T are kept.
    Returns the loss, its gradient, and the state (B, H) before the next window; the arrays live
    in the workspace until the next call.
    """
    workspace = workspace or Workspace()
    T, B = window.x.shape
    length = segment(T) if segment else T
    starts = range(0, T, length)
    carried = T if window.carried is None else window.carried
    dtype = params.W.dtype
    scale = divisor(window, reduction)

    kept = workspace.array("kept", (len(starts), B, params.hidden_size), dtype)
    h_carried = workspace.copy("carried", h0)
    h = h0[None]
    for number, start in enumerate(starts):
        kept[number] = h[-1]
        h = states(params, window.x[start : start + length], kept[number], activation, workspace)
        if start < carried < start + len(h):
            h_carried[...] = h[carried - start]

    loss, gradient, da_next = 0.0, None, None
    for number in reversed(range(len(starts))):
        part = slice(starts[number], starts[number] + length)
        x, y = window.x[part], window.y[part]
        if number < len(starts) - 1:  # the last segment's states are still there
            h = states(params, x, kept[number], activation, workspace)
        part_loss, part_gradient, da = _backward(
            params, x, y, h, da_next, scale, activation, workspace
        )
        loss += part_loss
        if len(starts) == 1:
            gradient = part_gradient
        elif gradient is None:
            gradient = Params(
                **{name: workspace.copy(f"sum {name}", g) for name, g in part_gradient.named()}
            )
        else:
            for name, array in gradient.named():
                array += getattr(part_gradient, name)
        da_next = workspace.copy("da_next", da[0])
    assert gradient is not None
    return loss / scale, gradient, h_carried


def _backward(
    params: Params,
    x: Array,
    y: Array,
    h: Array,
    da_next: Array | None,
    scale: int,
    activation: Activation,
    workspace: Workspace,
) -> tuple[float, Params, Array]:
    """Σ L_t of a segment, its gradient divided by `scale`, and da (T, B, H).

    h (T+1, B, H): the states of the segment. da_next (B, H): da_{T+1}, of the segment after it.
    """
    T, B = x.shape
    H, A = params.hidden_size, params.alphabet_size
    dtype = params.W.dtype

    first = first_loss(y)  # the steps before need no logits
    loss, do = loss_and_logit_gradient(logits(params, h[first + 1 :], workspace), y[first:])
    do /= scale  # (8)

    da = workspace.array("da", (T, B, H), dtype)
    da[:first] = 0
    np.matmul(do.reshape(-1, A), params.V, out=da[first:].reshape(-1, H))  # Vᵀ do_t of (10)
    Wda = workspace.array("Wda", (B, H), dtype)
    for t in range(T, 0, -1):
        dh = da[t - 1]  # becomes da_t: arrays count from 0, the equations from 1
        later = da[t] if t < T else da_next
        if later is not None:
            dh += np.matmul(later, params.W, out=Wda)  # Wᵀ da_{t+1} of (10)
        activation.backward(h[t], dh)  # (11)

    def product(name: str, left: Array, right: Array) -> Array:
        left, right = left.reshape(-1, left.shape[-1]), right.reshape(-1, right.shape[-1])
        out = workspace.array(name, (left.shape[1], right.shape[1]), dtype)
        return np.matmul(left.T, right, out=out)

    gradient = Params(
        U=_input_gradient(da, x, A, workspace),
        W=product("dW", da, h[:-1]),  # (12)
        V=product("dV", do, h[first + 1 :]),  # (9)
        b=None if params.b is None else da.sum(axis=(0, 1)),
        c=None if params.c is None else do.sum(axis=(0, 1)),
    )
    return float(loss), gradient, da


def _input_gradient(da: Array, x: Array, alphabet_size: int, workspace: Workspace) -> Array:
    """dU = Σ_t da_t ⊗ x_t of (12), (H, A), from ids instead of one-hot vectors."""
    rows, ids = da.reshape(-1, da.shape[-1]), x.reshape(-1)
    dU = workspace.array("dU", (rows.shape[1], alphabet_size), da.dtype)
    if alphabet_size <= ONE_HOT_LIMIT:
        one_hot = workspace.array("one_hot", (len(ids), alphabet_size), da.dtype)
        one_hot[...] = 0
        one_hot[np.arange(len(ids)), ids] = 1
        return np.matmul(rows.T, one_hot, out=dU)
    # the product grows with A; sorting brings equal ids together, and A no longer matters
    order = np.argsort(ids, kind="stable")
    present, starts = np.unique(ids[order], return_index=True)
    dU[...] = 0
    dU[:, present] = np.add.reduceat(rows[order], starts, axis=0).T
    return dU
