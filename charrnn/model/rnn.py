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
    """Hidden states of a window, equations (1) and (2).

    Args:
        params: The weights; their precision is that of the result.
        x: Input ids (T, B).
        h0: State before the first character (B, H).
        activation: The activation f.
        workspace: Provides the arrays; a new one if None.

    Returns:
        h (T+1, B, H) with h[0] = h0. It is overwritten when the workspace is next used.
    """
    workspace = workspace or Workspace()
    T, B = x.shape
    h = workspace.array("h", (T + 1, B, params.hidden_size), params.W.dtype)
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
    """Logits o of states, equation (3).

    Args:
        params: The weights.
        h: States (..., H).
        workspace: Provides the array; a new one if None.

    Returns:
        o (..., A). It is overwritten when the workspace is next used.
    """
    workspace = workspace or Workspace()
    rows = h.reshape(-1, h.shape[-1])
    o = workspace.array("o", (len(rows), params.alphabet_size), params.V.dtype)
    product_by_rows(rows, params.V.T, out=o)
    if params.c is not None:
        o += params.c
    return o.reshape(*h.shape[:-1], -1)


class Stepper:
    """The network one character at a time; a step allocates nothing.

    Attributes:
        h: Current states (B, H), zero at first. They may be written to between steps.

    Args:
        params: The weights, which must not change while the object is in use.
        activation: The activation f.
        lanes: B, the number of independent sequences.
    """

    def __init__(self, params: Params, activation: Activation, lanes: int) -> None:
        workspace = Workspace()
        self._Ub = _columns_with_bias(params, workspace)
        self._forward = prepare_forward(params.W, activation, lanes, workspace)
        self._times_VT = product_with(params.V.T, lanes, workspace, "VT")
        self._c = params.c
        self.h = np.zeros((lanes, params.hidden_size), params.W.dtype)
        self._h_before = np.empty_like(self.h)

    def __call__(self, characters: Array) -> Array:
        """Reads one character per lane and advances the states, equations (1)-(3).

        Args:
            characters: Ids (B,).

        Returns:
            Logits (B, A) of the characters that follow, valid until the next call.
        """
        before, h = self.h, self._h_before  # h_t is written over h_{t-2}
        self._Ub.take(characters, axis=0, out=h, mode="clip")  # np.take costs more per call
        self._forward((before, h))
        self.h, self._h_before = h, before
        o = self._times_VT(h)
        if self._c is not None:
            o += self._c
        return o
