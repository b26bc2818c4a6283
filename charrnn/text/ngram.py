"""How well mere counts predict a text: the n-gram baseline."""

import numpy as np

from charrnn.arrays import Array


def witten_bell_nats(
    ids: Array, counted: Array, scored: Array, history: Array, alphabet_size: int, order: int
) -> float:
    """Mean nats per character where `scored`, after counts where `counted`; all of shape (N,).

    The probability of a character after its last `order` ones, interpolated with that after
    fewer, down to the uniform distribution. With n the context's count, d the number of
    distinct characters seen after it and q the probability after one character less,
    p = (count + d q) / (n + d). history: the longest context that each character has.

    Source: Witten & Bell 1991, method C; Chen & Goodman 1999, section 2.
    """
    probability = np.full(len(ids), 1 / alphabet_size)
    context = np.zeros(len(ids), dtype=np.int32)  # the number of the context before each place
    for length in range(order + 1):
        if length:
            # a longer context is the one before the last character, and that character
            context = _numbered(np.roll(context, 1), np.roll(ids, 1), alphabet_size)
        known = history >= length
        seen = counted & known
        pair = _numbered(context, ids, alphabet_size)
        pair_counts = np.bincount(pair[seen], minlength=pair.max() + 1)
        context_counts = np.bincount(context[seen], minlength=context.max() + 1)
        pair_context = np.zeros(len(pair_counts), dtype=np.int32)
        pair_context[pair] = context
        distinct = np.bincount(pair_context[pair_counts > 0], minlength=len(context_counts))
        n, d = context_counts[context], distinct[context]
        probability = np.where(
            known & (n > 0),
            (pair_counts[pair] + d * probability) / np.maximum(n + d, 1),
            probability,
        )
    return float(-np.log(probability[scored]).mean()) + 0.0  # no negative zero


def _numbered(contexts: Array, ids: Array, alphabet_size: int) -> Array:
    """A number from 0 for each distinct pair of context and character, so that all stay small."""
    codes = contexts.astype(np.int64) * alphabet_size + ids
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)
