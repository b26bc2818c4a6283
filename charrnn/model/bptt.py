"""The gradient of a window's loss, by back-propagation through time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy, loss_and_logit_gradient
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.model.workspace import Workspace
from charrnn.window import Array, Window

Objective = Callable[[Params, Window, Array], tuple[float, Params, Array]]

ONE_HOT_LIMIT = 192  # alphabets up to this size: dU by a product with one-hot rows


def divisor(window: Window, reduction: str) -> int:
    """What the summed loss is divided by, equation (6): 1 for a sum, T·B for a mean."""
    return window.y.size if reduction == "mean" else 1


def window_loss(
    params: Params, window: Window, h0: Array, activation: Activation, reduction: str = "mean"
) -> Any:
    """The loss L or J, equations (1)-(6), forward only; complex where the parameters are."""
    h = states(params, window.x, h0, activation)
    losses = cross_entropy(logits(params, h[1:]), window.y)
    return losses.sum() / divisor(window, reduction)


def bptt(
    params: Params,
    window: Window,
    h0: Array,
    activation: Activation,
    reduction: str = "mean",
    workspace: Workspace | None = None,
) -> tuple[float, Params, Array]:
    """Loss, gradient and last state of a window, equations (1)-(12).

    h0: state before the window (B, H), a constant: the gradient ends at the window's start.
    Returns the loss, its gradient, and h_T (B, H); both arrays live in the workspace until the
    next call.
    """
    workspace = workspace or Workspace()
    T, B = window.x.shape
    H, A = params.hidden_size, params.alphabet_size
    dtype = params.W.dtype
    scale = divisor(window, reduction)

    h = states(params, window.x, h0, activation, workspace)
    loss, do = loss_and_logit_gradient(logits(params, h[1:], workspace), window.y)
    do /= scale  # (8)

    da = workspace.array("da", (T, B, H), dtype)
    np.matmul(do.reshape(T * B, A), params.V, out=da.reshape(T * B, H))  # Vᵀ do_t of (10)
    Wda = workspace.array("Wda", (B, H), dtype)
    for t in range(T, 0, -1):
        dh = da[t - 1]  # becomes da_t: arrays count from 0, the equations from 1
        if t < T:
            dh += np.matmul(da[t], params.W, out=Wda)  # Wᵀ da_{t+1} of (10)
        activation.backward(h[t], dh)  # (11)

    def product(name: str, left: Array, right: Array) -> Array:
        left, right = (array.reshape(T * B, -1) for array in (left, right))
        out = workspace.array(name, (left.shape[1], right.shape[1]), dtype)
        return np.matmul(left.T, right, out=out)

    gradient = Params(
        U=_input_gradient(da, window.x, A, workspace),
        W=product("dW", da, h[:-1]),  # (12)
        V=product("dV", do, h[1:]),  # (9)
        b=None if params.b is None else da.sum(axis=(0, 1)),
        c=None if params.c is None else do.sum(axis=(0, 1)),
    )
    return float(loss / scale), gradient, h[T]


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
