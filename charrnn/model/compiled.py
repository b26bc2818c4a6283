"""The network with a few lanes, compiled by numba, where that is faster than NumPy."""

from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model import output, recurrence, rnn, sums
from charrnn.model.activations import Activation
from charrnn.model.backend import Backend
from charrnn.model.params import Layer, Params
from charrnn.model.recurrence import Forward
from charrnn.model.rnn import columns_with_bias
from charrnn.model.workspace import Workspace

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
MAX_STATE = 512  # units of all lanes up to which the compiled recurrence is faster
MAX_SHARED = 128  # units up to which it is with several lanes
MAX_ROWS = 32  # steps and lanes up to which the compiled output layer is faster
MAX_OUTPUT = 40_000  # weights V up to which it is


def pays(hidden_size: int, lanes: int, dtype: "np.dtype[Any]") -> bool:
    """Whether the compiled recurrence is faster than NumPy's, as benchmarks/lanes.py measures.

    Args:
        hidden_size: H.
        lanes: B, of one thread.
        dtype: The precision.
    """
    few = lanes * hidden_size <= MAX_STATE and (lanes == 1 or hidden_size <= MAX_SHARED)
    return dtype in DTYPES and few


def _fits(weights: Array) -> bool:
    """Whether weights are in the order that is compiled; those of a workspace are."""
    return weights.flags.carray and weights.dtype in DTYPES


def compiled_backend(always: bool = False) -> Backend:
    """The parts of BPTT, compiled where that pays, otherwise NumPy's.

    Args:
        always: Whether they are compiled for any size.

    Raises:
        ImportError: numba is not installed.
    """
    from charrnn.model import loops  # takes as long as thousands of steps

    codes = _codes()

    def input_term(layer: Layer, x: Array, workspace: Workspace, out: Array) -> None:
        U, b = layer.U, layer.b
        if not (_fits(U) and (always or x.size <= MAX_ROWS)):
            return rnn.input_term(layer, x, workspace, out)
        loops.input_term(U, U[0, :0] if b is None else b, _numbers(x), out.reshape(-1, len(U)))

    def prepare_forward(
        W: Array, activation: Activation, lanes: int, workspace: Workspace
    ) -> Forward:
        if not (_fits(W) and (always or pays(len(W), lanes, W.dtype))):
            return recurrence.prepare_forward(W, activation, lanes, workspace)
        code = codes[activation.name]
        return lambda before, h: loops.forward(W, before, h, code)

    def backward(
        W: Array, dh: Array, slopes: Array, da_next: Array | None, workspace: Workspace
    ) -> Array:
        if not (_fits(W) and (always or pays(len(W), dh.shape[1], W.dtype))):
            return recurrence.backward(W, dh, slopes, da_next, workspace)
        loops.backward(W, dh, slopes, dh[0, :0] if da_next is None else da_next)
        return dh

    def output_gradient(
        params: Params,
        up: Array,
        y: Array,
        scale: int,
        gradient: Params,
        da: Array,
        workspace: Workspace,
    ) -> float:
        V, N = params.V, y.size
        few = N <= MAX_ROWS and V.size <= MAX_OUTPUT
        if not (N and _fits(V) and (always or few)):
            return output.output_gradient(params, up, y, scale, gradient, da, workspace)
        A, H = V.shape
        c, dc = (V[0, :0] if bias is None else bias for bias in (params.c, gradient.c))
        logits = workspace.array("o", (N, A), V.dtype)
        loss: float = loops.output(
            up.reshape(N, H), _numbers(y), V, c, scale, logits, gradient.V, dc, da.reshape(N, H)
        )
        return loss

    def input_gradient(da: Array, x: Array, ones: Array, workspace: Workspace, dU: Array) -> None:
        if not (_fits(dU) and (always or x.size <= MAX_ROWS)):
            return sums.input_gradient(da, x, ones, workspace, dU)
        loops.input_gradient(da.reshape(-1, len(dU)), _numbers(x), dU)

    return Backend(input_term, prepare_forward, backward, output_gradient, input_gradient)


def _numbers(ids: Array) -> Array:
    """Ids (N,) in the type that is compiled."""
    return ids.reshape(-1).astype(np.int64)


def _codes() -> dict[str, int]:
    """The number of each activation in the compiled code."""
    from charrnn.model import kernels

    return {"tanh": kernels.TANH, "sigmoid": kernels.SIGMOID, "relu": kernels.RELU}


class CompiledStepper:
    """A `Stepper` of one lane.

    Attributes:
        h: Current states (L, 1, H), zero at first. They may be written to between steps.

    Args:
        params: The weights, of float32 or float64, which are copied.
        activation: The activation f.

    Raises:
        ImportError: numba is not installed.
    """

    def __init__(self, params: Params, activation: Activation) -> None:
        from charrnn.model import loops

        first, *above = params.layers
        L, H, A, dtype = params.depth, params.hidden_size, params.alphabet_size, params.dtype
        self._step, self._activation = loops.step, _codes()[activation.name]
        self._Ub = columns_with_bias(first, Workspace())
        self._U, self._b = np.empty((L - 1, H, H), dtype), np.zeros((L - 1, H), dtype)
        for n, layer in enumerate(above):
            self._U[n] = layer.U
            if layer.b is not None:
                self._b[n] = layer.b
        self._W, self._V = np.array([layer.W for layer in params.layers]), params.V.copy()
        self._c = np.zeros(A, dtype) if params.c is None else params.c.copy()
        self._o = np.empty((1, A), dtype)
        self.h, self._h_before = np.zeros((2, L, 1, H), dtype)
        self._rows, self._rows_before = self.h[:, 0], self._h_before[:, 0]

    def __call__(self, characters: Array) -> Array:
        """Reads a character (1,), and returns logits (1, A), as `Stepper` does."""
        self._step(
            self._Ub, self._U, self._b, self._W, self._V, self._c, characters.item(),
            self._rows, self._rows_before, self._o[0], self._activation,
        )  # fmt: skip
        self.h, self._h_before = self._h_before, self.h
        self._rows, self._rows_before = self._rows_before, self._rows
        return self._o
