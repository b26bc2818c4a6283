"""The recurrence of one layer over time, forward and backward: the loops of BPTT and sampling."""

from collections.abc import Callable

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.products import product_with
from charrnn.model.workspace import Workspace

Forward = Callable[[Array, Array], None]


def prepare_forward(W: Array, activation: Activation, lanes: int, workspace: Workspace) -> Forward:
    """Prepares equations (1) and (2) for many steps with the same weights.

    Args:
        W: Recurrent weights (H, H), which must not change while the result is in use.
        activation: The activation f.
        lanes: B, the number of lanes.
        workspace: Holds a copy of W in tiles.

    Returns:
        A function of the state h_0 (B, H) and of an array (T, B, H), which holds the input terms
        U x_t + b, and which h_t = f(U x_t + W h_{t-1} + b) overwrites.
    """
    times_WT = product_with(W.T, lanes, workspace, "WT")  # rows are lanes: W h becomes h Wᵀ
    f = activation.apply

    def forward(before: Array, h: Array) -> None:
        for a in h:
            a += times_WT(before)
            f(a, a)
            before = a

    return forward


def backward(
    W: Array, dh: Array, slopes: Array, da_next: Array | None, workspace: Workspace
) -> Array:
    """Turns ∂L/∂h_t into ∂L/∂a_t, from the last step to the first, equations (10) and (11).

    Args:
        W: Recurrent weights (H, H).
        dh: The part of ∂L/∂h_t that does not come from step t+1 (T, B, H): Vᵀ do_t, or what a layer
            above passes down. Overwritten by da.
        slopes: f′(a_t), the diagonal of D_t (T, B, H).
        da_next: da_{T+1} (B, H) of the step after the last one; None for zero.
        workspace: Holds a copy of W in tiles.

    Returns:
        da_t = D_t (dh_t + Wᵀ da_{t+1}) (T, B, H), in the memory of `dh`.
    """
    times_W = product_with(W, dh.shape[1], workspace, "W")
    for da, slope in zip(dh[::-1], slopes[::-1], strict=True):
        if da_next is not None:
            da += times_W(da_next)
        da *= slope
        da_next = da
    return dh
