"""The entries of a gradient that are worth comparing."""

import numpy as np
from numpy.random import Generator

from charrnn.analysis.oracles import Entries
from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.window import Window

ABSENT = 2  # entries of characters that do not occur, to see that their gradient is 0


def choose_entries(gradient: Params, window: Window, count: int, random: Generator) -> Entries:
    """Chooses entries of each parameter: the largest, the smallest nonzero ones, and random ones.

    A column of U whose character is no input of the window has the gradient 0, and a row of V whose
    character is no target has that of its probability alone. The others are chosen from, and two
    columns of U are added that have to be 0.

    Args:
        gradient: The gradient that is to be checked.
        window: The window that it is the gradient of.
        count: The number of entries of larger parameters.
        random: Source of the random ones.

    Returns:
        Flat indices into each parameter.
    """
    inputs, targets = np.unique(window.x), np.unique(window.y[window.y >= 0])
    chosen = {}
    for name, array in gradient.named():
        if array.size <= count:
            chosen[name] = np.arange(array.size)
            continue
        inside = np.ones(array.shape, dtype=bool)
        if name == "V":
            inside[:] = np.isin(np.arange(len(array)), targets)[:, None]
        elif name == "U" + gradient.layout.suffixes[0]:
            inside[:] = np.isin(np.arange(array.shape[1]), inputs)
        outside = np.flatnonzero(~inside) if name != "V" else np.empty(0, int)
        extra = random.permutation(outside)[: min(ABSENT, count // 4)]
        magnitudes = np.nan_to_num(np.abs(array.reshape(-1)), nan=np.inf, posinf=np.inf)
        candidates = np.flatnonzero(inside)
        wanted = count - len(extra)
        if len(candidates) > wanted:
            candidates = _outstanding(candidates, magnitudes, wanted, random)
        chosen[name] = np.sort(np.concatenate([candidates, extra]))
    return chosen


def _outstanding(candidates: Array, magnitudes: Array, count: int, random: Generator) -> Array:
    """A third of them with the largest magnitudes, a third with the smallest, the rest random."""
    by_size = candidates[np.argsort(magnitudes[candidates], kind="stable")]
    third = count // 3
    zeros = int(np.count_nonzero(magnitudes[candidates] == 0))
    smallest = by_size[zeros : zeros + third]
    largest = by_size[len(by_size) - min(count - 2 * third, len(by_size)) :]
    picked = np.union1d(smallest, largest)
    others = np.setdiff1d(candidates, picked)
    rest: Array = random.choice(others, count - len(picked), replace=False)
    return np.concatenate([picked, rest])
