"""How surprising each character is to a model, and what the model expected instead."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from charrnn.analysis.unit_states import MAX_LOGITS, ReadText, logits_in_order
from charrnn.arrays import Array
from charrnn.model.loss import cross_entropy, softmax


class Surprisals(NamedTuple):
    """What a model expected at each step, and how well it predicted what came.

    Attributes:
        nats: Surprisal -ln p of the target (...).
        ranks: 1 + the number of characters that are likelier than the target (...).
        likeliest: Ids of the likeliest characters (..., k), the likeliest first.
        probabilities: Their probabilities (..., k).
    """

    nats: Array
    ranks: Array
    likeliest: Array
    probabilities: Array


@np.errstate(over="ignore", invalid="ignore")
def surprisals(o: Array, y: Array, count: int) -> Surprisals:
    """Compares what a model expects with what comes, equations (4) and (5).

    Args:
        o: Logits (..., A).
        y: Ids of the targets (...); where there is none, NO_TARGET, the result is meaningless.
        count: k, at most A.

    Returns:
        The surprisals; not finite where the logits are not.
    """
    at_target = np.take_along_axis(o, np.maximum(y, 0)[..., None].astype(np.intp), axis=-1)
    ranks = 1 + (o > at_target).sum(axis=-1)
    if count < o.shape[-1]:
        likeliest = np.argpartition(-o, count, axis=-1)[..., :count]
        likeliest.sort(axis=-1)  # of equally likely characters, the first one first
    else:
        likeliest = np.broadcast_to(np.arange(count), o.shape)
    by_logit = np.argsort(-np.take_along_axis(o, likeliest, axis=-1), axis=-1, kind="stable")
    likeliest = np.take_along_axis(likeliest, by_logit, axis=-1)
    probabilities = np.take_along_axis(softmax(o), likeliest, axis=-1)
    return Surprisals(cross_entropy(o, y), ranks, likeliest, probabilities)


def surprisals_of(text: ReadText, count: int, max_logits: int = MAX_LOGITS) -> Iterator[Surprisals]:
    """Compares what a model expects with what comes, in a whole text and in bounded memory.

    Args:
        text: The text.
        count: k, the number of likeliest characters.
        max_logits: The largest number of logits to hold at a time.

    Yields:
        The surprisals of the next targets. They are not finite where the state overflowed.
    """
    _, y, _ = text.steps
    position, k = 0, min(count, text.params.alphabet_size)
    for o in logits_in_order(text, max_logits):
        targets = y[position : position + len(o)]
        if len(targets):  # nothing follows the last character
            yield surprisals(o[: len(targets)], targets, k)
        position += len(o)
