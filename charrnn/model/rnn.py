"""The network forward in time."""

from itertools import pairwise

import numpy as np

from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.products import product_by_rows, product_with
from charrnn.model.workspace import Workspace
from charrnn.window import Array


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
    times_WT = product_with(params.W.T, B, workspace, "WT")  # rows are lanes: W h becomes h Wᵀ
    f = activation.apply
    for before, a in pairwise(h):
        a += times_WT(before)
        f(a, a)
    return h


def _input_term(params: Params, x: Array, workspace: Workspace, out: Array) -> None:
    """U x_t + b of every step at once: with one-hot x_t a gather of U's columns."""
    Ub = workspace.copy("Ub", params.U.T)  # (A, H)
    if params.b is not None:
        Ub += params.b
    np.take(Ub, x, axis=0, out=out, mode="clip")


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
    """The network one character at a time, for one stream; nothing is allocated in a step."""

    def __init__(self, params: Params, activation: Activation) -> None:
        self._activation = activation
        self._WT = np.ascontiguousarray(params.W.T)
        self._Ub = np.ascontiguousarray(params.U.T)
        if params.b is not None:
            self._Ub = self._Ub + params.b
        self._VT = np.ascontiguousarray(params.V.T)
        self._c = params.c
        self._h = np.zeros(params.hidden_size, params.W.dtype)
        self._a = np.empty_like(self._h)
        self._o = np.empty(params.alphabet_size, params.V.dtype)

    def __call__(self, character: int) -> Array:
        """Reads a character id, moves the state, and gives the logits (A,) of the next one.

        They are valid until the next call. Equations (1)-(3).
        """
        with np.errstate(over="ignore", invalid="ignore"):  # the logits tell
            a = np.matmul(self._h, self._WT, out=self._a)
            a += self._Ub[character]
            self._activation.apply(a, a)
            self._a, self._h = self._h, a
            o = np.matmul(a, self._VT, out=self._o)
            if self._c is not None:
                o += self._c
        return o
