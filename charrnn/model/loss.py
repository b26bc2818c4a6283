"""Softmax and cross-entropy, and their derivative."""

from typing import Any

import numpy as np

from charrnn.arrays import Array


def softmax(o: Array) -> Array:
    """ŷ of logits (..., A), equation (4)."""
    exponentials = np.exp(o - o.real.max(axis=-1, keepdims=True))  # the shift cancels
    probabilities: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def cross_entropy(o: Array, y: Array) -> Array:
    """L_t in nats, equation (5), of logits (..., A) and target ids (...); 0 for NO_TARGET.

    ln ŷ is taken from the logits, so that a vanishing ŷ does no harm.
    """
    shifted = o - o.real.max(axis=-1, keepdims=True)
    at_target = np.take_along_axis(shifted, y[..., None], axis=-1)[..., 0]
    losses: Array = np.log(np.exp(shifted).sum(axis=-1)) - at_target
    losses[y < 0] = 0
    return losses


def loss_and_logit_gradient(o: Array, y: Array) -> tuple[Any, Array]:
    """Σ L_t of (5) and do_t = ŷ_t - y_t of (8), for logits (T, B, A) and targets (T, B).

    Where y is NO_TARGET both are 0. do overwrites o: in one pass what `softmax` and
    `cross_entropy` say one by one.
    """
    A = o.shape[-1]
    rows, entries, targets = o.reshape(-1, A), o.reshape(-1), y.reshape(-1)
    picked = np.arange(0, o.size, A) + np.maximum(targets, 0)
    rows -= rows.max(axis=1, keepdims=True)
    losses = entries.take(picked)  # less ln Σ exp this is ln ŷ
    np.exp(rows, out=rows)
    totals = rows.dot(np.ones(A, o.dtype))  # as a product, several times faster than as a sum
    rows /= totals[:, None]
    entries[picked] -= 1
    np.subtract(np.log(totals, out=totals), losses, out=losses)
    idle = targets < 0
    if idle.any():
        rows[idle] = losses[idle] = 0
    return losses.sum(), o
