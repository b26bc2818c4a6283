"""Problems to check gradients on: weights, a window and the state before it."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.model.params import Params, shapes
from charrnn.window import Window


class Problem(NamedTuple):
    """Weights, a window, the state before it (B, L·H): the arguments of its loss.

    And dropout's factors for the window (L, T, B, H), None without dropout.
    """

    params: Params
    window: Window
    h0: Array
    mask: Array | None = None


def random_problem(
    random: Generator,
    hidden_size: int = 8,
    alphabet_size: int = 7,
    time_steps: int = 6,
    batch_size: int = 3,
    bias: bool = True,
    layers: int = 1,
) -> Problem:
    """Draws a random problem in float64 whose units are neither dead nor saturated.

    Args:
        random: Source of the random numbers.
        hidden_size: H.
        alphabet_size: A.
        time_steps: T.
        batch_size: B.
        bias: Whether the network has biases.
        layers: L.

    Returns:
        Normal weights with standard deviation 1 / √inputs, uniform ids and states.
    """
    params = Params.of(
        **{
            name: random.standard_normal(shape) / np.sqrt(shape[-1])
            for name, shape in shapes(hidden_size, alphabet_size, bias, layers).items()
        }
    )
    ids = random.integers(0, alphabet_size, (time_steps + 1, batch_size))
    h0 = random.uniform(-0.5, 0.5, (batch_size, params.state_size))
    return Problem(params, window_of(ids), h0)


def one_hot(ids: Array, alphabet_size: int) -> Array:
    """Vectors (…, A) that are 1 at the ids (…) and 0 elsewhere; at -1 the last is 1."""
    rows = np.zeros((*ids.shape, alphabet_size))
    np.put_along_axis(rows, ids[..., None], 1.0, axis=-1)
    return rows


def window_of(ids: Array) -> Window:
    """Makes a window of ids (T+1, B): the target of each character is the next one."""
    return Window(ids[:-1], ids[1:], np.zeros(ids.shape[1], dtype=bool))
