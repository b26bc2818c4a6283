"""The choice of a character, in the part of Python that numba compiles."""

import numpy as np

from charrnn.model.kernels import exact


@exact
def choose(o, temperature, random, cumulative):
    """The id that `sampling/choice.py::chooser` chooses from logits o (A,); -1 if not finite.

    `cumulative` (A,) holds the sums of probabilities.
    """
    likeliest = 0
    for i in range(1, o.size):
        if o[i] > o[likeliest] or (o[i] != o[i] and o[likeliest] == o[likeliest]):
            likeliest = i  # NaN is the highest, as for NumPy
    top = np.float64(o[likeliest])
    if temperature == 0:
        return likeliest if np.isfinite(top) else -1
    total = 0.0
    for i in range(o.size):
        total += np.exp((np.float64(o[i]) - top) / temperature)
        cumulative[i] = total
    if not total > 0:
        return -1
    for i in range(o.size):
        if cumulative[i] > random * total:
            return i
    return o.size - 1
