"""One recurrent layer over time: the loops of equations (1), (2) and (10), (11)."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.products import product_with
from charrnn.model.workspace import Workspace


class Recurrence:
    """The recurrence h_t = f(U x_t + W h_{t-1} + b) of one layer.

    Each direction copies W into the form that its products need at its first call, so W must not
    change while the object is in use.

    Args:
        W: Recurrent weights (H, H).
        activation: The activation f.
        lanes: B, the number of independent sequences.
        workspace: Provides the arrays of both directions.
    """

    def __init__(self, W: Array, activation: Activation, lanes: int, workspace: Workspace) -> None:
        self._W, self._activation = W, activation
        self._lanes, self._workspace = lanes, workspace
        self._times_W: Callable[[Array], Array] | None = None
        self._times_WT: Callable[[Array], Array] | None = None

    def forward(self, h: Array | Sequence[Array]) -> None:
        """Computes the states of T steps in place, equations (1) and (2).

        Args:
            h: (T+1, B, H), or T+1 arrays (B, H). On entry h[0] is the initial state and h[t] the
                input U x_t + b of step t; on return h[t] is the state h_t.
        """
        if self._times_WT is None:  # rows are lanes: W h becomes h Wᵀ
            self._times_WT = product_with(self._W.T, self._lanes, self._workspace, "WT")
        times_WT, f = self._times_WT, self._activation.apply
        for before, a in pairwise(h):
            a += times_WT(before)
            f(a, a)

    def backward(self, h: Array, dh: Array, da_next: Array | None = None) -> None:
        """Turns ∂L/∂h_t into ∂L/∂a_t in place, from the last step to the first, (10) and (11).

        Args:
            h: States (T+1, B, H) that `forward` computed.
            dh: (T, B, H). On entry the part of ∂L/∂h_t that does not come from step t+1: Vᵀ do_t,
                or what a layer above passes down. On return da_t.
            da_next: da_{T+1} (B, H) of the step after the last; None for zero.
        """
        if self._times_W is None:
            self._times_W = product_with(self._W, self._lanes, self._workspace, "W")
        times_W = self._times_W
        slope = self._workspace.array("scratch", dh.shape, dh.dtype)
        self._activation.slope(h[1:], slope)
        for dh_t, slope_t in zip(dh[::-1], slope[::-1], strict=True):
            if da_next is not None:
                dh_t += times_W(da_next)  # Wᵀ da_{t+1} of (10)
            dh_t *= slope_t  # (11): from here on it is da_t
            da_next = dh_t
