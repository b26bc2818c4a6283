"""How closely hidden units follow features of a text."""

from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array

SHIFTS = 20  # of each feature, for the control
LEAST_SHIFT = 0.05  # of the length of the text
NEGLIGIBLE = 1e-5  # standard deviation of a unit relative to its size: it is saturated
ROWS = 4096  # states that are added at a time


class Correlations(NamedTuple):
    """The correlation of units with features.

    Attributes:
        values: Pearson's correlation (units, features); 0 for a unit whose state does not vary.
        chance: The largest magnitude of any unit's correlation with the feature over all its
            shifts (features,).
    """

    values: Array
    chance: Array


class Correlator:
    """Adds up the correlation of every unit with every feature, in one pass over the states.

    As a control, each feature is also shifted cyclically along the text by several random
    distances: it varies as before, but no longer belongs to the states. The largest magnitude of
    any unit's correlation over all shifts is what chance can reach. If the states do not depend on
    a feature, and the statistics of the text do not change along it, the probability that any unit
    exceeds this is at most 1 / (`shifts` + 1).

    Args:
        features: The features (N, features), standardised.
        units: The number of units.
        shifts: The number of shifts.
        seed: Random seed of the shifts, which are at least LEAST_SHIFT of the text.

    Reference:
        Theiler et al. 1992, "Testing for nonlinearity in time series: the method of surrogate
        data", Physica D 58, on controls that keep the autocorrelation; Karpathy, Johnson &
        Fei-Fei 2015, "Visualizing and understanding recurrent networks", on units and features.
    """

    def __init__(self, features: Array, units: int, shifts: int = SHIFTS, seed: int = 0) -> None:
        N, F = features.shape
        self._features, self._position = features, 0
        least = min(max(int(LEAST_SHIFT * N), 1), max(N - 1, 1))
        random = np.random.default_rng(seed)
        self.shifts = random.integers(least, max(N - least, least) + 1, shifts).tolist()
        self._origin: Array | None = None
        self._sums, self._squares = np.zeros(units), np.zeros(units)
        self._products = np.zeros((shifts + 1, units, F))

    def add(self, states: Array) -> None:
        """Adds the states (n, units) after the next n characters."""
        for start in range(0, len(states), ROWS):
            self._add(states[start : start + ROWS])

    def _add(self, states: Array) -> None:
        if self._origin is None:
            self._origin = states[0].copy()
        # a sum of squares cancels least around a value that the unit takes
        moved = states - self._origin
        exact = moved.astype(np.float64)
        self._sums += exact.sum(axis=0)
        self._squares += (exact * exact).sum(axis=0)
        self._products[0] += exact.T @ self._rows(0, len(states)).astype(np.float64)
        for number, shift in enumerate(self.shifts, 1):
            self._products[number] += moved.T @ self._rows(shift, len(states))
        self._position += len(states)

    def _rows(self, shift: int, count: int) -> Array:
        """The features of the next characters, shifted cyclically."""
        start = (self._position + shift) % len(self._features)
        rows = self._features[start : start + count]
        if len(rows) < count:
            rows = np.concatenate([rows, self._features[: count - len(rows)]])
        return rows

    def result(self) -> Correlations:
        """The correlations, after all states were added."""
        N = len(self._features)
        totals = self._features.sum(axis=0, dtype=np.float64)
        squares = np.einsum("nf,nf->f", self._features, self._features, dtype=np.float64)
        spread = np.sqrt(np.maximum(squares - totals**2 / N, 0))
        own = np.sqrt(np.maximum(self._squares - self._sums**2 / N, 0))
        largest = np.abs(self._origin) if self._origin is not None else np.zeros(len(own))
        largest = np.maximum(largest, np.sqrt(self._squares / N))
        varies = own > NEGLIGIBLE * largest * np.sqrt(N)
        products = self._products - np.multiply.outer(self._sums, totals) / N
        with np.errstate(divide="ignore", invalid="ignore"):
            found = products / (own[:, None] * spread)
        found = np.where(varies[:, None] & (spread > 0), np.clip(found, -1, 1), 0.0)
        chance = np.abs(found[1:]).max(axis=(0, 1), initial=0)
        return Correlations(found[0], chance)
