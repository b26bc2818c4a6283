"""The state from which a text begins as those that the model was trained on do."""

from collections.abc import Iterator

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.text.id_chunks import id_chunks
from charrnn.text.stored_ids import Origin, remembered_of

START = "\n"  # what is read next from the state: the last character before the beginning
CONTEXT = 256  # characters before it
CANDIDATES = 16


def passages_before(ids: Array, newline: int, origin: Origin | None = None) -> Array | None:
    """Passages of a text that are followed by the newline before a paragraph, or else a line.

    Args:
        ids: The training text (N,).
        newline: The id of the newline.
        origin: The stored ids that these are, so that the passages of a large text are kept.

    Returns:
        The ids of up to CANDIDATES passages of equal length (T, B), spread over the text; None if
        there is no newline.
    """
    chosen: list[int] = remembered_of(
        origin, len(ids), f"newlines {newline} before texts", lambda: _chosen_newlines(ids, newline)
    )
    if not chosen:
        return None
    length = min(CONTEXT, min(chosen))
    passages: Array = np.stack([ids[end - length : end] for end in chosen], axis=1)
    return passages


def _chosen_newlines(ids: Array, newline: int) -> list[int]:
    """The positions of up to CANDIDATES newlines, those of blank lines if there are any."""
    for before in (newline, None):
        first, last, count = 0, 0, 0  # of those that CONTEXT characters precede, the number
        for ends in _newlines(ids, newline, before):
            last = int(ends[-1])
            count += int((ends >= CONTEXT).sum())
        if not last:
            continue
        if not count:
            return [last]
        ranks = np.unique(np.linspace(0, count - 1, CANDIDATES).round().astype(int))
        chosen: list[int] = []
        for ends in _newlines(ids, newline, before):
            ends = ends[ends >= CONTEXT]
            here = ranks[(ranks >= first) & (ranks < first + len(ends))]
            chosen += ends[here - first].tolist()
            first += len(ends)
        return chosen
    return []


def _newlines(ids: Array, newline: int, before: int | None) -> Iterator[Array]:
    """The positions of newlines but the first id, in chunks; `before`: of those after this id."""
    for start, chunk in id_chunks(ids, 1):
        ends = np.flatnonzero(chunk == newline) + start
        if before is not None:
            ends = ends[ids[ends - 1] == before]
        if len(ends):
            yield ends


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
