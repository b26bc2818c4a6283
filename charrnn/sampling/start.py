"""The state from which a text begins as those that the model was trained on do."""

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states

START = "\n"  # what is read next from the state: the last character before the beginning
CONTEXT = 256  # characters before it
CANDIDATES = 16


def passages_before(ids: Array, newline: int) -> Array | None:
    """Passages of a text that are followed by the newline before a paragraph, or else a line.

    Args:
        ids: The training text (N,).
        newline: The id of the newline.

    Returns:
        The ids of up to CANDIDATES passages of equal length (T, B), spread over the text; None if
        there is no newline.
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
    passages: Array = np.stack([ids[end - length : end] for end in chosen.tolist()], axis=1)
    return passages


def start_state(params: Params, activation: Activation, passages: Array) -> Array | None:
    """The state after a typical passage, from which a newline begins a text.

    From the zero state, in which no text begins but the first, a network continues as if in the
    middle of nothing.

    Args:
        params: The weights.
        activation: The activation f.
        passages: Their ids (T, B); see `passages_before`.

    Returns:
        Of the states after the passages, the one (L·H,) that is nearest to their mean; None if
        they overflow.
    """
    zero = np.zeros((passages.shape[1], params.state_size), params.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        h = states(params, passages, zero, activation)[-1]
        distances = np.linalg.norm(h - h.mean(axis=0), axis=1)
    start: Array = h[int(distances.argmin())].copy()
    return start if np.isfinite(distances).all() else None
