"""Interpolates the table of configs/plan.yaml, and converts weights to hidden sizes."""

from math import log, sqrt
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.config.plan_table import PlanTable

MAY_BE_ZERO = ("weight_decay", "dropout")  # their values are interpolated, not their logarithms


class Cell(NamedTuple):
    """What the table has for a text and an amount of work; sizes too are real numbers."""

    optimizer: str
    weights: float
    layers: float
    batch_size: float
    learning_rate: float
    weight_decay: float
    dropout: float
    passes: float


INTERPOLATED = Cell._fields[1:]


class Grid:
    """The table between its rows and columns; outside, its nearest values.

    Args:
        table: The table.
    """

    def __init__(self, table: PlanTable) -> None:
        self._lengths = np.log([row.characters for row in table.texts])
        self._works = np.log(table.work)
        self._usual = np.log([row.usual_work for row in table.texts])
        self._optimizers = [row.optimizer for row in table.texts]
        self._values = np.array(  # (fields, rows, columns)
            [[getattr(row, name) for row in table.texts] for name in INTERPOLATED]
        )
        self._as_logarithms = [name not in MAY_BE_ZERO for name in INTERPOLATED]
        self._values[self._as_logarithms] = np.log(self._values[self._as_logarithms])

    def __call__(self, characters: float, work: float) -> Cell:
        """The values for a training text of this length, and this work."""
        above, below, down = _between(self._lengths, log(characters))
        left, right, along = _between(self._works, log(work))
        rows = self._values[:, [above, below]]
        columns = (1 - along) * rows[..., left] + along * rows[..., right]
        found = (1 - down) * columns[:, 0] + down * columns[:, 1]
        found[self._as_logarithms] = np.exp(found[self._as_logarithms])
        nearest = below if down > 0.5 else above
        return Cell(self._optimizers[nearest], *found.tolist())

    def usual_work(self, characters: float) -> float:
        """The work of a run without a limit."""
        return float(np.exp(np.interp(log(characters), self._lengths, self._usual)))


def _between(points: Array, x: float) -> tuple[int, int, float]:
    """The points on both sides of x, and how far it is from the first to the second."""
    position = float(np.interp(x, points, np.arange(len(points))))
    return int(position), min(int(position) + 1, len(points) - 1), position % 1


def weights_of(layers: float, hidden_size: float, alphabet_size: int) -> float:
    """The number of weights of a network, with biases."""
    H, A, L = hidden_size, alphabet_size, layers
    return (2 * L - 1) * H * H + (2 * A + L) * H + A


def hidden_size_of(weights: float, layers: float, alphabet_size: int) -> float:
    """The hidden size at which a network has so many weights: the inverse of `weights_of`."""
    squares, half = 2 * layers - 1, alphabet_size + layers / 2
    return (sqrt(half * half + squares * max(weights - alphabet_size, 1)) - half) / squares
