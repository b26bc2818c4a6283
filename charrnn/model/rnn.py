"""The network forward in time."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Layer, Params
from charrnn.model.products import product_by_rows, product_with
from charrnn.model.recurrence import Forward, prepare_forward
from charrnn.model.workspace import Workspace

STATE_TOLERANCE = 256  # rounding units (eps) up to which two states count as the same


def states(
    params: Params,
    x: Array,
    h0: Array,
    activation: Activation,
    workspace: Workspace | None = None,
    mask: Array | None = None,
) -> Array:
    """Hidden states of a window, equations (1) and (2), or (22) for a stack of layers.

    Args:
        params: The weights; their precision is that of the result.
        x: Input ids (T, B).
        h0: State before the first character (B, L·H), the layers side by side.
        activation: The activation f.
        workspace: Provides the arrays; a new one if None.
        mask: Dropout's factors m / (1 - p) of (26) for what goes up (L, T, B, H); None for 1.

    Returns:
        h (T+1, B, L·H) with h[0] = h0. It is overwritten when the workspace is next used.
    """
    workspace = workspace or Workspace()
    return joint(layer_states(params, x, params.by_layer(h0), activation, workspace, mask))


def joint(h: Array) -> Array:
    """The states of layers (L, ..., H) side by side (..., L·H); a view if L = 1."""
    order = (*range(1, h.ndim - 1), 0, h.ndim - 1)  # np.moveaxis takes several times as long
    return h.transpose(order).reshape(*h.shape[1:-1], len(h) * h.shape[-1])


def state_tolerance(h: Array) -> Array:
    """Differences (..., H) up to which states of a unit count as the same, for states (..., B, H).

    They are relative to each unit's largest state: a small unit may carry as much as a large one.
    """
    tolerance: Array = STATE_TOLERANCE * np.finfo(h.dtype).eps * np.abs(h).max(axis=-2)
    return tolerance


def layer_states(
    params: Params,
    x: Array,
    h0: Array,
    activation: Activation,
    workspace: Workspace,
    mask: Array | None = None,
    prepare: Callable[[Array, Activation, int, Workspace], Forward] | None = None,
    read: Callable[[Layer, Array, Workspace, Array], None] | None = None,
) -> Array:
    """The same as `states`, each layer in memory of its own.

    Args and Returns are those of `states`, but h0 is (L, B, H) and h is (L, T+1, B, H).
    `prepare` and `read` take the place of `prepare_forward` and `input_term`.
    """
    prepare, read = prepare or prepare_forward, read or input_term
    T, B = x.shape
    h = workspace.array("h", (params.depth, T + 1, B, params.hidden_size), params.dtype)
    h[:, 0] = h0
    for n, (layer, own) in enumerate(zip(params.layers, h, strict=True)):
        if n == 0:
            read(layer, x, workspace, own[1:])
        else:
            up = h[n - 1, 1:]
            if mask is not None:
                up = np.multiply(up, mask[n - 1], out=workspace.array("up", up.shape, up.dtype))
            _term_from_below(layer, up, workspace, out=own[1:])
        prepare(layer.W, activation, B, workspace)(own[0], own[1:])
    return h


def input_term(layer: Layer, x: Array, workspace: Workspace, out: Array) -> None:
    """U x_t + b of every step at once: with one-hot x_t (T, B), ids, a gather of U's columns."""
    np.take(columns_with_bias(layer, workspace), x, axis=0, out=out, mode="clip")


def columns_with_bias(layer: Layer, workspace: Workspace) -> Array:
    """U x + b of each character (A, H)."""
    Ub = workspace.copy("Ub", layer.U.T)
    if layer.b is not None:
        Ub += layer.b
    return Ub


def _term_from_below(layer: Layer, up: Array, workspace: Workspace, out: Array) -> None:
    """U h_t + b of every step at once, for the states `up` (T, B, H) of the layer below."""
    H = up.shape[-1]
    product_by_rows(up.reshape(-1, H), workspace.copy("UT", layer.U.T), out=out.reshape(-1, H))
    if layer.b is not None:
        out += layer.b


def logits(params: Params, h: Array, workspace: Workspace | None = None) -> Array:
    """Logits o of states, equation (3).

    Args:
        params: The weights.
        h: States (..., H) of the top layer, or joint ones (..., L·H).
        workspace: Provides the array; a new one if None.

    Returns:
        o (..., A). It is overwritten when the workspace is next used.
    """
    workspace = workspace or Workspace()
    H = params.hidden_size
    rows = h[..., -H:].reshape(-1, H)
    o = workspace.array("o", (len(rows), params.alphabet_size), params.V.dtype)
    product_by_rows(rows, params.V.T, out=o)
    if params.c is not None:
        o += params.c
    return o.reshape(*h.shape[:-1], -1)


class Steps(Protocol):
    """The network one character at a time; `Stepper`, or a compiled form of it.

    Attributes:
        h: Current states (L, B, H), zero at first. They may be written to between steps.
    """

    h: Array

    def __call__(self, characters: Array) -> Array:
        """Reads one character per lane (B,), and returns logits (B, A)."""


class Stepper:
    """The network one character at a time; a step allocates nothing.

    Attributes:
        h: Current states (L, B, H), zero at first. They may be written to between steps.

    Args:
        params: The weights, which must not change while the object is in use.
        activation: The activation f.
        lanes: B, the number of independent sequences.
    """

    def __init__(self, params: Params, activation: Activation, lanes: int) -> None:
        workspaces = [Workspace() for _ in params.layers]
        first, *above = params.layers
        self._Ub = columns_with_bias(first, workspaces[0])
        self._forward = [
            prepare_forward(layer.W, activation, lanes, workspace)
            for layer, workspace in zip(params.layers, workspaces, strict=True)
        ]
        self._times_UT = [
            product_with(layer.U.T, lanes, workspace, "UT")
            for layer, workspace in zip(above, workspaces[1:], strict=True)
        ]
        self._b = [layer.b for layer in above]
        self._times_VT = product_with(params.V.T, lanes, workspaces[0], "VT")
        self._c = params.c
        self.h = np.zeros((params.depth, lanes, params.hidden_size), params.dtype)
        self._h_before = np.empty_like(self.h)

    def __call__(self, characters: Array) -> Array:
        """Reads one character per lane and advances the states, equations (1)-(3) or (22).

        Args:
            characters: Ids (B,).

        Returns:
            Logits (B, A) of the characters that follow, valid until the next call.
        """
        before, layers = self.h, self._h_before  # h_t is written over h_{t-2}
        h = layers[0]
        self._Ub.take(characters, axis=0, out=h, mode="clip")  # np.take costs more per call
        self._forward[0](before[0], h[None])
        for n, times_UT in enumerate(self._times_UT, 1):
            below, h = h, layers[n]
            h[...] = times_UT(below)
            if (b := self._b[n - 1]) is not None:
                h += b
            self._forward[n](before[n], h[None])
        self.h, self._h_before = layers, before
        o = self._times_VT(h)
        if self._c is not None:
            o += self._c
        return o
