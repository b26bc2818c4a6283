"""The state from which a text begins as those that the model was trained on do."""

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states

START = "\n"  # what is read next from the state: the last character before the beginning
CONTEXT = 256  # characters before it
CANDIDATES = 16


def start_state(params: Params, activation: Activation, ids: Array, newline: int) -> Array | None:
    """The state before the newline after which a typical paragraph, or else line, begins.

    From the zero state, in which no text begins but the first, a network continues as if in the
    middle of nothing. Of the states after several passages of the text that end in a blank line,
    or in a newline if there are none, this is the one that is nearest to their mean.

    Args:
        params: The weights.
        activation: The activation f.
        ids: The training text (N,).
        newline: The id of the newline.

    Returns:
        The state (L·H,); None if there is no newline, or the state overflows.
    """
    ends = np.flatnonzero(ids[1:] == newline) + 1
    blank = ends[ids[ends - 1] == newline]
    ends = blank if len(blank) else ends
    if not len(ends):
        return None
    long = ends[ends >= CONTEXT]
    ends = long if len(long) else ends[-1:]
    chosen = ends[np.unique(np.linspace(0, len(ends) - 1, CANDIDATES).round().astype(int))]
    length = min(CONTEXT, int(chosen.min()))
    x = np.stack([ids[end - length : end] for end in chosen.tolist()], axis=1)
    zero = np.zeros((len(chosen), params.state_size), params.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        h = states(params, x, zero, activation)[-1]
        distances = np.linalg.norm(h - h.mean(axis=0), axis=1)
    start: Array = h[int(distances.argmin())].copy()
    return start if np.isfinite(distances).all() else None
