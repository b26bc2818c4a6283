"""Initial weights."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from charrnn.arrays import Array
from charrnn.model.params import Layout, Params, shapes

Initializer = Callable[[Generator, int, int], Array]


def orthogonal(random: Generator, rows: int, columns: int) -> Array:
    """Orthonormal rows or columns, whichever are fewer, uniform over all such matrices.

    Reference:
        Saxe, McClelland & Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in
        deep linear neural networks", arXiv 1312.6120; Mezzadri 2007, "How to generate random
        matrices from the classical compact groups", arXiv math-ph/0609050.
    """
    gaussian = random.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(gaussian)
    # without the signs of R's diagonal, Q would not be uniform
    Q *= np.where(np.diagonal(R) < 0, -1.0, 1.0)
    return Q if rows >= columns else np.ascontiguousarray(Q.T)


def glorot(random: Generator, rows: int, columns: int) -> Array:
    """Uniform with variance 2 / (rows + columns).

    Reference:
        Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS.
    """
    bound = np.sqrt(6 / (rows + columns))
    return random.uniform(-bound, bound, (rows, columns))


def normal(random: Generator, rows: int, columns: int) -> Array:
    """Normal with standard deviation 1 / √columns, the number of inputs."""
    weights: Array = random.standard_normal((rows, columns)) / np.sqrt(columns)
    return weights


def identity(random: Generator, rows: int, columns: int) -> Array:
    """The identity, with which the state of a ReLU network initially persists.

    Reference:
        Le, Jaitly & Hinton 2015, "A simple way to initialize recurrent networks of rectified linear
        units", arXiv 1504.00941.
    """
    return np.eye(rows, columns)


INITIALIZERS: dict[str, Initializer] = {
    "orthogonal": orthogonal,
    "glorot": glorot,
    "normal": normal,
    "identity": identity,
}


def initial_params(
    random: Generator,
    hidden_size: int,
    alphabet_size: int,
    *,
    layers: int = 1,
    bias: bool = True,
    input: str = "glorot",
    recurrent: str = "orthogonal",
    output: str = "glorot",
    recurrent_gain: float = 1.0,
    dtype: DTypeLike = np.float64,
) -> Params:
    """Draws initial weights; biases are zero.

    Args:
        random: Source of the random numbers.
        hidden_size: H.
        alphabet_size: A.
        layers: L, the number of layers.
        bias: Whether the network has biases.
        input: Name of the initializer of each U.
        recurrent: Name of the initializer of each W.
        output: Name of the initializer of V.
        recurrent_gain: Factor of each W.
        dtype: Precision of the result; the numbers are drawn in float64.

    Returns:
        The weights.
    """
    layout = Layout(shapes(hidden_size, alphabet_size, bias, layers))
    params = Params(layout, np.zeros(layout.size))
    for layer in params.layers:
        layer.U[...] = INITIALIZERS[input](random, *layer.U.shape)
        layer.W[...] = INITIALIZERS[recurrent](random, *layer.W.shape) * recurrent_gain
    params.V[...] = INITIALIZERS[output](random, *params.V.shape)
    return params.astype(dtype)


def inherit(params: Params, old: Params) -> None:
    """Copies the weights of a model into one of the same layers whose alphabet extends the other's.

    The columns of U and rows of V of new characters stay as they are; their output bias becomes
    the lowest of the old ones, so that they are unlikely at first.

    Args:
        params: The weights to write to. The characters of `old` come first in its alphabet.
        old: The weights to copy.
    """
    A = old.alphabet_size
    new = dict(params.named())
    for name, array in old.named():
        new[name][tuple(map(slice, array.shape))] = array
    if params.c is not None and old.c is not None:
        params.c[A:] = old.c.min()
