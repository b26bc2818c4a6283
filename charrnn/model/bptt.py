"""The gradient of a window's loss by back-propagation through time."""

from collections.abc import Callable
from math import isqrt
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.backend import NUMPY, Backend
from charrnn.model.dropout import Dropout
from charrnn.model.loss import cross_entropy
from charrnn.model.params import Params
from charrnn.model.products import product_by_rows
from charrnn.model.rnn import joint, layer_states, logits, states
from charrnn.model.sums import sum_of_outer_products, sum_rows
from charrnn.model.workspace import Workspace
from charrnn.window import Window, first_loss

# (params, window, h0) -> loss, gradient, carried state; see `bptt`
Objective = Callable[[Params, Window, Array], tuple[float, Params, Array]]


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
    backend: Backend = NUMPY,
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
        backend: Computes the steps of each layer, and the output layer.

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
        h0, forms = kept[number], (backend.prepare_forward, backend.input_term)
        return layer_states(params, x, h0, activation, workspace, mask, *forms), mask

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
            params, x, y, h, mask, da_next, scale, activation, workspace, backend
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
    backend: Backend,
) -> tuple[float, Params, Array]:
    """Σ L_t of a segment, its gradient divided by `scale`, and da (L, T, B, H).

    h (L, T+1, B, H): the states of the segment. mask (L, T, B, H): dropout's factors, or None.
    da_next (L, B, H): da_{T+1}, of the segment after it.
    """
    T, B = x.shape
    H, dtype = params.hidden_size, params.dtype
    up = h[:, 1:]  # what the layers above, or V, read
    if mask is not None:
        up = np.multiply(up, mask, out=workspace.array("up", mask.shape, dtype))

    gradient = params.with_flat(workspace.array("gradient", params.flat.shape, dtype))
    # until `backward`, da is what comes from above: Vᵀ do_t of (10), Uᵀ da_t of (23)
    da = workspace.array("da", (params.depth, T, B, H), dtype)
    first = first_loss(y)  # the steps before need no logits
    da[-1, :first] = 0
    loss = backend.output_gradient(
        params, up[-1, first:], y[first:], scale, gradient, da[-1, first:], workspace
    )
    ones = workspace.ones(T * B, dtype)
    for n in reversed(range(params.depth)):
        layer, of_layer, rows = params.layers[n], gradient.layers[n], da[n].reshape(-1, H)
        if mask is not None:
            da[n] *= mask[n]
        slopes = workspace.array("scratch", (T, B, H), dtype)
        activation.slope(h[n, 1:], slopes)
        after = None if da_next is None else da_next[n]
        backend.backward(layer.W, da[n], slopes, after, workspace)
        sum_of_outer_products(da[n], h[n, :-1], of_layer.W)  # (12), (24)
        if of_layer.b is not None:
            sum_rows(rows, ones, of_layer.b)
        if n:
            sum_of_outer_products(da[n], up[n - 1], of_layer.U)
            product_by_rows(rows, layer.U, out=da[n - 1].reshape(-1, H))
        else:
            backend.input_gradient(da[0], x, ones, workspace, of_layer.U)
    return loss, gradient, da
