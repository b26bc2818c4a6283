"""How surprising each character is to a model, and what the model expected instead."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy, softmax
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.model.workspace import Workspace


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


def surprisals_of(
    params: Params,
    x: Array,
    y: Array,
    fresh: Array,
    activation: Activation,
    count: int,
    max_entries: int = 1_000_000,
) -> Iterator[Surprisals]:
    """Runs through a text once, its state carried along, in pieces of bounded memory.

    Args:
        params: The weights.
        x: Input ids (N,).
        y: Target ids (N,).
        fresh: Whether the state before each input is zero (N,); it is before the first.
        activation: The activation f.
        count: k, the number of likeliest characters.
        max_entries: Entries of states, or of logits, that are held at a time.

    Yields:
        The surprisals of the next targets. They are not finite where the state overflowed.
    """
    workspace, k = Workspace(), min(count, params.alphabet_size)
    length = max(max_entries // max(params.state_size, params.alphabet_size), 1)
    h = np.zeros((1, params.state_size), params.dtype)
    for start in range(0, len(x), length):
        chunk = slice(start, start + length)
        starts = np.flatnonzero(fresh[chunk])
        found = []
        for part in np.split(np.arange(start, min(start + length, len(x))), starts):
            if not len(part):
                continue
            if fresh[part[0]]:
                h = np.zeros_like(h)
            with np.errstate(over="ignore", invalid="ignore"):
                h_all = states(params, x[part, None], h, activation, workspace)
                o = logits(params, h_all[1:, 0], workspace)
                found.append(surprisals(o, y[part], k))
            h = h_all[-1].copy()  # the next states take the memory of h_all
        yield Surprisals(*map(np.concatenate, zip(*found, strict=True)))
