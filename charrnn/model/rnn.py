"""The network forward in time."""

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.products import product_by_rows, product_with
from charrnn.model.recurrence import prepare_forward
from charrnn.model.workspace import Workspace


def states(
    params: Params, x: Array, h0: Array, activation: Activation, workspace: Workspace | None = None
) -> Array:
    """The hidden states of a window, equations (1) and (2).

    x: ids (T, B). h0: state before the first character (B, H).
    Returns h (T+1, B, H) with h[0] = h0; it lives in the workspace.
    """
    workspace = workspace or Workspace()
    T, B = x.shape
    H = params.hidden_size
    dtype = params.W.dtype
    h = workspace.array("h", (T + 1, B, H), dtype)
    h[0] = h0
    _input_term(params, x, workspace, out=h[1:])
    prepare_forward(params.W, activation, B, workspace)(h)
    return h


def _input_term(params: Params, x: Array, workspace: Workspace, out: Array) -> None:
    """U x_t + b of every step at once: with one-hot x_t a gather of U's columns."""
    np.take(_columns_with_bias(params, workspace), x, axis=0, out=out, mode="clip")


def _columns_with_bias(params: Params, workspace: Workspace) -> Array:
    """U x + b of each character (A, H)."""
    Ub = workspace.copy("Ub", params.U.T)
    if params.b is not None:
        Ub += params.b
    return Ub


def logits(params: Params, h: Array, workspace: Workspace | None = None) -> Array:
    """o of each state, equation (3): (..., H) → (..., A), in the workspace."""
    workspace = workspace or Workspace()
    rows = h.reshape(-1, h.shape[-1])
    o = workspace.array("o", (len(rows), params.alphabet_size), params.V.dtype)
    product_by_rows(rows, params.V.T, out=o)
    if params.c is not None:
        o += params.c
    return o.reshape(*h.shape[:-1], -1)


class Stepper:
    """The network one character at a time, in B lanes; nothing is allocated in a step.

    h (B, H): the states, zero at first.
    """

    def __init__(self, params: Params, activation: Activation, lanes: int) -> None:
        workspace = Workspace()
        self._Ub = _columns_with_bias(params, workspace)
        self._forward = prepare_forward(params.W, activation, lanes, workspace)
        self._times_VT = product_with(params.V.T, lanes, workspace, "VT")
        self._c = params.c
        self.h = np.zeros((lanes, params.hidden_size), params.W.dtype)
        self._a = np.empty_like(self.h)

    def __call__(self, characters: Array) -> Array:
        """Reads the ids (B,), moves the states, and gives the logits (B, A) of what comes next.

        They are valid until the next call. Equations (1)-(3).
        """
        a = np.take(self._Ub, characters, axis=0, out=self._a, mode="clip")
        self._forward((self.h, a))
        self._a, self.h = self.h, a
        o = self._times_VT(a)
        if self._c is not None:
            o += self._c
        return o
