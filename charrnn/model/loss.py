"""Softmax, cross-entropy and their derivative."""

from typing import Any

import numpy as np

from charrnn.arrays import Array


def softmax(o: Array) -> Array:
    """Probabilities ŷ (..., A) of logits (..., A), equation (4)."""
    exponentials = np.exp(o - o.real.max(axis=-1, keepdims=True))  # the shift cancels
    probabilities: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def cross_entropy(o: Array, y: Array) -> Array:
    """Losses L_t, equation (5).

    ln ŷ is computed from the logits, so that it is finite where ŷ underflows.

    Args:
        o: Logits (..., A).
        y: Target ids (...), or NO_TARGET.

    Returns:
        Losses (...) in nats; 0 for NO_TARGET.
    """
    shifted = o - o.real.max(axis=-1, keepdims=True)
    at_target = np.take_along_axis(shifted, y[..., None], axis=-1)[..., 0]
    losses: Array = np.log(np.exp(shifted).sum(axis=-1)) - at_target
    losses[y < 0] = 0
    return losses


def loss_and_logit_gradient(o: Array, y: Array) -> tuple[Any, Array]:
    """Summed loss and its gradient by the logits, equations (4), (5) and (8), in one pass.

    Args:
        o: Logits (T, B, A), which are overwritten.
        y: Target ids (T, B), or NO_TARGET.

    Returns:
        Σ L_t in nats, and do_t = ŷ_t - y_t (T, B, A) in the memory of `o`; 0 for NO_TARGET.
    """
    A = o.shape[-1]
    rows, entries, targets = o.reshape(-1, A), o.reshape(-1), y.reshape(-1)
    picked = np.arange(0, o.size, A) + np.maximum(targets, 0)
    rows -= rows.max(axis=1, keepdims=True)
    losses = entries.take(picked)  # minus ln Σ exp this is ln ŷ
    np.exp(rows, out=rows)
    totals = rows.dot(np.ones(A, o.dtype))  # as a product, several times faster than as a sum
    rows /= totals[:, None]
    entries[picked] -= 1
    np.subtract(np.log(totals, out=totals), losses, out=losses)
    ignored = targets < 0
    if ignored.any():
        rows[ignored] = losses[ignored] = 0
    return losses.sum(), o
