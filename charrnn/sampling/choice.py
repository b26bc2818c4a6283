"""How the next character is chosen from logits."""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace

NONE = -1  # the id where no character can be chosen
Choose = Callable[[Array, Array], Array]


def chooser(temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0) -> Choose:
    """The function from logits (B, A) and random numbers (B,) in [0, 1) to character ids (B,).

    temperature: divides the logits; 0 takes the likeliest character.
    top_k: only the k likeliest characters. top_p: only the likeliest ones that together reach
    this probability (Holtzman et al. 2020, arXiv 1904.09751).
    The ids are valid until the next call; NONE stands where the logits are beyond all numbers.
    Ignoring overflow is left to the caller: a tiny temperature makes all but the highest -inf.
    """
    workspace = Workspace()

    def greedy(o: Array, random: Array) -> Array:
        likeliest = o.argmax(axis=1)
        highest = np.take_along_axis(o, likeliest[:, None], axis=1)[:, 0]
        return np.where(np.isfinite(highest), likeliest, NONE)

    def choose(o: Array, random: Array) -> Array:
        order = None
        if top_k is not None or top_p < 1:
            order = np.argsort(-o, axis=1, kind="stable")[:, :top_k]
            o = np.take_along_axis(o, order, axis=1)
        cumulative = workspace.array("cumulative", o.shape, np.float64)
        np.subtract(o, np.maximum.reduce(o, axis=1, keepdims=True), out=cumulative)
        if temperature != 1:
            cumulative /= temperature
        np.exp(cumulative, out=cumulative)
        np.add.accumulate(cumulative, axis=1, out=cumulative)
        chosen = workspace.array("chosen", random.shape, np.intp)
        for lane, row in enumerate(cumulative):
            last = row.size - 1
            if top_p < 1:
                last = row.searchsorted(top_p * row[last])
            total = row[min(last, row.size - 1)]
            place = min(row.searchsorted(random[lane] * total, side="right"), last)
            chosen[lane] = place if order is None else order[lane, place]
            if not total > 0:  # not a number
                chosen[lane] = NONE
        return chosen

    return choose if temperature else greedy
