"""Comparisons of what numba compiled with NumPy, on a few numbers, before it is used."""

from collections.abc import Callable
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.backend import NUMPY
from charrnn.model.bptt import bptt
from charrnn.model.compiled import CompiledStepper, compiled_backend
from charrnn.model.initialization import initial_params
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper
from charrnn.model.workspace import Workspace
from charrnn.optim.optimizers import adam
from charrnn.sampling.choice import chooser
from charrnn.sampling.single import compiled_chooser
from charrnn.window import Window

Check = Callable[["np.dtype[Any]"], None]
ALPHABET_SIZE = 7
ROUNDING_UNITS = 1000.0  # eps, of numbers of the size of 1


def check_training(dtype: "np.dtype[Any]") -> None:
    """Raises ArithmeticError if a step of training is not that of NumPy."""
    from charrnn.optim.adam_kernel import adam as compiled

    T, B = 3, 5  # a block of lanes, and one more
    params, x = _params(dtype), np.arange(T * B).reshape(T, B) % ALPHABET_SIZE
    window = Window(x, x[::-1], np.zeros(B, bool))
    h0 = np.full((B, params.state_size), 0.5, dtype)
    for activation in ACTIVATIONS.values():
        found = []
        for backend in (NUMPY, compiled_backend(always=True)):
            arguments = params, window, h0, activation
            loss, gradient, h = bptt(*arguments, segment=lambda steps: 2, backend=backend)
            found.append([np.array(loss), gradient.flat, h])
        _require_close(dtype, *found)
    updated = []
    for function in (None, compiled):
        arrays = [params.flat * factor for factor in (1, 2, 3)] + [params.flat**2]
        theta, g, *slots = arrays
        adam(0.9, 0.99, 1e-8, compiled=function).rule(3, theta, g, slots, 0.01, Workspace())
        updated.append([theta, *slots])
    _require_close(dtype, *updated)


def check_sampling(dtype: "np.dtype[Any]") -> None:
    """Raises ArithmeticError if the choice of a character is not that of NumPy."""
    params, character, random = _params(dtype), np.array([3]), np.array([0.7])
    for activation in ACTIVATIONS.values():
        steppers = Stepper(params, activation, 1), CompiledStepper(params, activation)
        for _ in range(2):
            logits = [stepper(character).copy() for stepper in steppers]
        _require_close(dtype, logits[:1], logits[1:])
        for temperature in (0.0, 1.5):
            _require_close(
                dtype,
                [chooser(temperature)(logits[0], random)],
                [compiled_chooser(temperature)(logits[0], random)],
            )


def _params(dtype: "np.dtype[Any]") -> Params:
    random = np.random.default_rng(0)
    weights = initial_params(random, 6, ALPHABET_SIZE, layers=2, dtype=dtype)
    for name, array in weights.named():
        if name[0] in "bc":
            array[...] = random.standard_normal(array.shape)
    return weights


def _require_close(dtype: "np.dtype[Any]", ours: list[Array], compiled: list[Array]) -> None:
    for one, other in zip(ours, compiled, strict=True):
        if not np.abs(one - other).max() < ROUNDING_UNITS * np.finfo(dtype).eps:
            raise ArithmeticError("what it compiled computes other numbers.")
