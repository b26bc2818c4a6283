"""Weights before training."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from charrnn.arrays import Array
from charrnn.model.params import Params

Initializer = Callable[[Generator, int, int], Array]


def orthogonal(random: Generator, rows: int, columns: int) -> Array:
    """Orthonormal rows or columns, whichever are fewer, uniform over all such matrices.

    Source: Saxe, McClelland & Ganguli 2014, arXiv 1312.6120; the sign of R's diagonal makes
    the factor Q of a Gaussian matrix uniform (Mezzadri 2007, arXiv math-ph/0609050).
    """
    gaussian = random.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(gaussian)
    Q *= np.where(np.diagonal(R) < 0, -1.0, 1.0)
    return Q if rows >= columns else np.ascontiguousarray(Q.T)


def glorot(random: Generator, rows: int, columns: int) -> Array:
    """Uniform with variance 2 / (rows + columns).

    Source: Glorot & Bengio 2010, the normalized initialization.
    """
    bound = np.sqrt(6 / (rows + columns))
    return random.uniform(-bound, bound, (rows, columns))


def normal(random: Generator, rows: int, columns: int) -> Array:
    """Normal with standard deviation 1 / √columns, the number of inputs."""
    weights: Array = random.standard_normal((rows, columns)) / np.sqrt(columns)
    return weights


def identity(random: Generator, rows: int, columns: int) -> Array:
    """The identity, with which a ReLU network remembers at first.

    Source: Le, Jaitly & Hinton 2015, arXiv 1504.00941.
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
    bias: bool = True,
    input: str = "glorot",
    recurrent: str = "orthogonal",
    output: str = "glorot",
    recurrent_gain: float = 1.0,
    dtype: DTypeLike = np.float64,
) -> Params:
    """U, W and V by the named initializers, W times `recurrent_gain`; biases zero."""
    H, A = hidden_size, alphabet_size
    params = Params.of(
        U=INITIALIZERS[input](random, H, A),
        W=INITIALIZERS[recurrent](random, H, H) * recurrent_gain,
        V=INITIALIZERS[output](random, A, H),
        b=np.zeros(H) if bias else None,
        c=np.zeros(A) if bias else None,
    )
    return params.astype(dtype)


def inherit(params: Params, old: Params) -> None:
    """Writes the weights of a model of the same H over those of one that knows more characters.

    The characters of `old` come first in it; the columns of U and the rows of V of the others stay
    as they were drawn, and each of them is to begin with as unlikely as the least likely old one.
    """
    A = old.alphabet_size
    params.U[:, :A], params.W[...], params.V[:A] = old.U, old.W, old.V
    if params.b is not None and params.c is not None and old.b is not None and old.c is not None:
        params.b[...], params.c[:A], params.c[A:] = old.b, old.c, old.c.min()
