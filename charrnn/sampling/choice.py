"""How the next character is chosen from logits."""

from collections.abc import Callable

import numpy as np

from charrnn.model.workspace import Workspace
from charrnn.window import Array

Choose = Callable[[Array, Array], Array]


def chooser(temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0) -> Choose:
    """The function from logits (B, A) and random numbers (B,) in [0, 1) to character ids (B,).

    temperature: divides the logits; 0 takes the likeliest character.
    top_k: only the k likeliest characters. top_p: only the likeliest ones that together reach
    this probability (Holtzman et al. 2020, arXiv 1904.09751).
    The ids are valid until the next call. Ignoring overflow is left to the caller: a tiny
    temperature makes all logits but the highest -inf, and where one is not finite, no id is right.
    """
    if temperature == 0:
        return lambda o, random: o.argmax(axis=1)
    workspace = Workspace()

    def choose(o: Array, random: Array) -> Array:
        order = None
        if top_k is not None or top_p < 1:
            order = np.argsort(-o, axis=1, kind="stable")[:, :top_k]
            o = np.take_along_axis(o, order, axis=1)
        cumulative = workspace.array("cumulative", o.shape, np.float64)
        np.subtract(o, o.max(axis=1, keepdims=True), out=cumulative)
        cumulative /= temperature
        np.exp(cumulative, out=cumulative)
        cumulative.cumsum(axis=1, out=cumulative)
        chosen = workspace.array("chosen", random.shape, np.intp)
        for lane, row in enumerate(cumulative):
            last = row.size - 1
            if top_p < 1:
                last = row.searchsorted(top_p * row[last])
            place = row.searchsorted(random[lane] * row[last], side="right")
            place = min(place, last)  # the number may have been rounded up to the total
            chosen[lane] = place if order is None else order[lane, place]
        return chosen

    return choose
