"""N-gram counts: how well they alone predict a text, and how certain they are of it."""

import numpy as np

from charrnn.arrays import Array


def witten_bell_nats(
    ids: Array,
    counted: Array,
    scored: Array,
    context_lengths: Array,
    alphabet_size: int,
    order: int,
) -> float:
    """Mean nats per character of an n-gram model with Witten-Bell smoothing.

    The probability of a character after its last `order` characters is interpolated with that
    after one character fewer, down to the uniform distribution. With the count n of the context,
    the number d of distinct characters after it, and the probability q after one character fewer,
    p = (count + d q) / (n + d).

    Args:
        ids: The text (N,).
        counted: Where the model is fitted (N,).
        scored: Where it is evaluated (N,).
        context_lengths: The number of characters before each in its sequence (N,).
        alphabet_size: The number of characters in the vocabulary.
        order: The number of characters in the longest context.

    Reference:
        Witten & Bell 1991, method C; Chen & Goodman 1999, section 2.
    """
    probability = np.full(len(ids), 1 / alphabet_size)
    context = np.zeros(len(ids), dtype=np.int32)  # the number of the context before each character
    for length in range(order + 1):
        if length:
            # a longer context is that of the last character, and the last character
            context = _pair_numbers(np.roll(context, 1), np.roll(ids, 1), alphabet_size)
        known = context_lengths >= length
        seen = counted & known
        pair = _pair_numbers(context, ids, alphabet_size)
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


def witten_bell_entropy(ids: Array, order: int, alphabet_size: int) -> Array:
    """Entropy of an n-gram model's prediction after each character, with the text's own counts.

    The model is that of `witten_bell_nats`. With λ = d / (n + d), the sum Σ p log p over the
    alphabet is λ log λ + λ Σ q log q, corrected for the characters that were counted, so that the
    time is linear in the length of the text.

    Args:
        ids: The text (N,).
        order: The number of characters in the longest context.
        alphabet_size: The number of characters in the vocabulary.

    Returns:
        Nats (N,).
    """
    positions = np.arange(len(ids))
    following = np.roll(ids, -1)
    probability = np.full(len(ids), 1 / alphabet_size)  # of the character that follows
    entropy = np.full(len(ids), np.log(alphabet_size))
    context = np.zeros(len(ids), dtype=np.int32)
    for length in range(order + 1):
        if length:
            context = _pair_numbers(np.roll(context, 1), ids, alphabet_size)
        known = positions >= length - 1
        counted = known & (positions < len(ids) - 1)
        pair = _pair_numbers(context, following, alphabet_size)
        pair_counts = np.bincount(pair[counted], minlength=pair.max() + 1)
        n = np.bincount(context[counted], minlength=context.max() + 1)
        some_position = np.zeros(len(pair_counts), dtype=np.int64)
        some_position[pair[counted]] = positions[counted]
        some_position = some_position[pair_counts > 0]
        its_context = context[some_position]
        d = np.bincount(its_context, minlength=len(n))
        backed_off = d / np.maximum(n + d, 1)
        lower = backed_off[its_context] * probability[some_position]
        p = lower + pair_counts[pair_counts > 0] / (n + d)[its_context]
        correction = np.bincount(its_context, p * np.log(p) - lower * np.log(lower), len(n))
        share, used = backed_off[context], known & (n[context] > 0)
        mixing = share * np.log(np.where(used, share, 1))
        entropy = np.where(used, share * entropy - mixing - correction[context], entropy)
        probability = np.where(
            used,
            share * probability + pair_counts[pair] / np.maximum(n + d, 1)[context],
            probability,
        )
    nonnegative: Array = np.maximum(entropy, 0)  # but for rounding
    return nonnegative


def _pair_numbers(contexts: Array, ids: Array, alphabet_size: int) -> Array:
    """Numbers the distinct pairs of context and character from 0, so that they stay small."""
    codes = contexts.astype(np.int64) * alphabet_size + ids
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)
