"""The gradient of a window's loss by back-propagation through time."""

from collections.abc import Callable
from math import isqrt
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.dropout import Dropout
from charrnn.model.loss import cross_entropy, loss_and_logit_gradient
from charrnn.model.params import Params
from charrnn.model.products import product_by_rows
from charrnn.model.recurrence import backward
from charrnn.model.rnn import joint, layer_states, logits, states
from charrnn.model.workspace import Workspace
from charrnn.window import Window, first_loss

# (params, window, h0) -> loss, gradient, carried state; see `bptt`
Objective = Callable[[Params, Window, Array], tuple[float, Params, Array]]

# multiplications up to which dU is a product with one-hot rows, which is the faster form there
MAX_ONE_HOT_PRODUCT = 30_000_000


def divisor(window: Window, reduction: str) -> int:
    """The divisor of the summed loss, equation (6).

    Args:
        window: The window; for a slice of lanes, `batch_targets` counts the whole batch.
        reduction: "sum" or "mean".

    Returns:
        1 for a sum, the number of losses for a mean; at least 1.
    """
    if reduction == "sum":
        return 1
    targets = window.targets if window.batch_targets is None else window.batch_targets
    return max(targets, 1)


def window_loss(
    params: Params,
    window: Window,
    h0: Array,
    activation: Activation,
    reduction: str = "mean",
    mask: Array | None = None,
) -> Any:
    """The loss L or J of a window, equations (1)-(6) and (22), without its gradient.

    Args:
        params: The weights.
        window: Ids (T, B).
        h0: State before the window (B, L·H).
        activation: The activation f.
        reduction: "sum" for L, "mean" for J.
        mask: Dropout's factors (L, T, B, H) of (26); None for 1.

    Returns:
        The loss in nats, complex where the weights are.
    """
    up = states(params, window.x, h0, activation, mask=mask)[1:]
    if mask is not None:
        up = up * joint(mask)
    losses = cross_entropy(logits(params, up), window.y)
    return losses.sum() / divisor(window, reduction)


def least_memory(time_steps: int) -> int:
    """The segment length √T, with which recomputation keeps the fewest states.

    It keeps as many states between segments as within one.

    Args:
        time_steps: T.

    Returns:
        √T, rounded up.

    Reference:
        Chen et al. 2016, "Training deep nets with sublinear memory cost", arXiv 1604.06174;
        Gruslys et al. 2016, "Memory-efficient backpropagation through time", arXiv 1606.03401.
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
    dropout: Dropout | None = None,
) -> tuple[float, Params, Array]:
    """Loss, gradient and carried state of a window, equations (1)-(12) and (22)-(26).

    Args:
        params: The weights.
        window: Ids (T, B).
        h0: State before the window (B, L·H), a constant: the gradient ends at the window's start.
        activation: The activation f.
        reduction: "sum" for L, "mean" for J.
        workspace: Provides the arrays; a new one if None.
        segment: Maps T to the number of steps whose states are kept at a time. The forward pass
            then keeps only the state before each segment, and the backward pass recomputes the
            others. If None, all T are kept.
        dropout: Draws the masks of the window; None for no dropout.

    Returns:
        The loss in nats, its gradient, and the state (B, L·H) before the next window. The arrays
        are overwritten when the workspace is next used.
    """
    workspace = workspace or Workspace()
    T, B = window.x.shape
    length = segment(T) if segment else T
    starts = range(0, T, length)
    carried = T if window.carried is None else window.carried
    shape = (params.depth, B, params.hidden_size)
    scale = divisor(window, reduction)

    def run(number: int) -> tuple[Array, Array | None]:
        """States of a segment from the one before it, and dropout's factors."""
        x, mask = window.x[starts[number] : starts[number] + length], None
        if dropout:
            mask = dropout.mask(
                (params.depth, *x.shape, params.hidden_size),
                params.dtype,
                step=window.step,
                first_lane=window.first_lane,
                start=starts[number],
                workspace=workspace,
            )
        return layer_states(params, x, kept[number], activation, workspace, mask), mask

    kept = workspace.array("kept", (len(starts), *shape), params.dtype)
    h_carried = workspace.array("carried", shape, h0.dtype)
    h_carried[...] = params.by_layer(h0)
    h = h_carried[:, None]
    for number, start in enumerate(starts):
        kept[number] = h[:, -1]
        h, mask = run(number)
        end = start + h.shape[1]
        if isinstance(carried, int):
            if start < carried < end:
                h_carried[...] = h[:, carried - start]
        else:
            (lanes,) = np.nonzero((start < carried) & (carried < end))
            h_carried[:, lanes] = h[:, carried[lanes] - start, lanes]

    loss, gradient, da_next = 0.0, None, None
    for number in reversed(range(len(starts))):
        steps = slice(starts[number], starts[number] + length)
        x, y = window.x[steps], window.y[steps]
        if number < len(starts) - 1:  # the last segment's states are still there
            h, mask = run(number)
        segment_loss, segment_gradient, da = _backward(
            params, x, y, h, mask, da_next, scale, activation, workspace
        )
        loss += segment_loss
        if len(starts) == 1:
            gradient = segment_gradient
        elif gradient is None:
            gradient = params.with_flat(workspace.copy("sum", segment_gradient.flat))
        else:
            gradient.flat[...] += segment_gradient.flat
        if number:
            da_next = workspace.copy("da_next", da[:, 0])
    assert gradient is not None
    return loss / scale, gradient, joint(h_carried)


def _backward(
    params: Params,
    x: Array,
    y: Array,
    h: Array,
    mask: Array | None,
    da_next: Array | None,
    scale: int,
    activation: Activation,
    workspace: Workspace,
) -> tuple[float, Params, Array]:
    """Σ L_t of a segment, its gradient divided by `scale`, and da (L, T, B, H).

    h (L, T+1, B, H): the states of the segment. mask (L, T, B, H): dropout's factors, or None.
    da_next (L, B, H): da_{T+1}, of the segment after it.
    """
    T, B = x.shape
    H, A = params.hidden_size, params.alphabet_size
    dtype = params.dtype
    up = h[:, 1:]  # what the layers above, or V, read
    if mask is not None:
        up = np.multiply(up, mask, out=workspace.array("up", mask.shape, dtype))

    first = first_loss(y)  # the steps before need no logits
    loss, do = loss_and_logit_gradient(logits(params, up[-1, first:], workspace), y[first:])
    do /= scale  # (8)

    gradient = params.with_flat(workspace.array("gradient", params.flat.shape, dtype))
    ones = workspace.ones(T * B, dtype)
    _sum_of_outer_products(do, up[-1, first:], gradient.V)  # (9)
    if gradient.c is not None:
        _sum_rows(do.reshape(-1, A), ones, gradient.c)

    # until `backward`, da is what comes from above: Vᵀ do_t of (10), Uᵀ da_t of (23)
    da = workspace.array("da", (params.depth, T, B, H), dtype)
    da[-1, :first] = 0
    product_by_rows(do.reshape(-1, A), params.V, out=da[-1, first:].reshape(-1, H))
    for n in reversed(range(params.depth)):
        layer, of_layer, rows = params.layers[n], gradient.layers[n], da[n].reshape(-1, H)
        if mask is not None:
            da[n] *= mask[n]
        slopes = workspace.array("scratch", (T, B, H), dtype)
        activation.slope(h[n, 1:], slopes)
        backward(layer.W, da[n], slopes, None if da_next is None else da_next[n], workspace)
        _sum_of_outer_products(da[n], h[n, :-1], of_layer.W)  # (12), (24)
        if of_layer.b is not None:
            _sum_rows(rows, ones, of_layer.b)
        if n:
            _sum_of_outer_products(da[n], up[n - 1], of_layer.U)
            product_by_rows(rows, layer.U, out=da[n - 1].reshape(-1, H))
        else:
            _input_gradient(da[0], x, ones, workspace, of_layer.U)
    return float(loss), gradient, da


def _sum_of_outer_products(left: Array, right: Array, out: Array) -> None:
    """Σ_t left_t ⊗ right_t over steps and lanes: (T, B, M) and (T, B, N) → (M, N)."""
    np.dot(left.reshape(-1, left.shape[-1]).T, right.reshape(-1, right.shape[-1]), out=out)


def _sum_rows(rows: Array, ones: Array, out: Array) -> None:
    """The sum of rows (N, M) into out (M,): as a product, several times faster than as a sum."""
    np.dot(ones[: len(rows)], rows, out=out)


def _input_gradient(da: Array, x: Array, ones: Array, workspace: Workspace, dU: Array) -> None:
    """dU = Σ_t da_t ⊗ x_t of (12), (H, A), from ids instead of one-hot vectors."""
    rows, ids = da.reshape(-1, da.shape[-1]), x.reshape(-1)
    N, A = len(ids), dU.shape[1]
    if N * A * max(len(dU), 32) <= MAX_ONE_HOT_PRODUCT:
        one_hot = workspace.array("one_hot", (N, A), da.dtype)
        one_hot[...] = 0
        one_hot[np.arange(N), ids] = 1
        np.dot(rows.T, one_hot, out=dU)
        return
    # a product with one-hot rows grows with A; the sum of the rows of each character does not
    order = np.argsort(ids, kind="stable")
    by_character = workspace.array("scratch", rows.shape, da.dtype)
    np.take(rows, order, axis=0, out=by_character, mode="clip")
    counts = np.bincount(ids, minlength=A)
    present = np.flatnonzero(counts)
    sums = workspace.array("sums", (len(present), rows.shape[1]), da.dtype)
    start = 0
    for count, total in zip(counts[present].tolist(), sums, strict=True):
        _sum_rows(by_character[start : start + count], ones, total)
        start += count
    dU[...] = 0
    dU[:, present] = sums.T
