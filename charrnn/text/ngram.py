"""N-gram counts: how well they alone predict a text, and how certain they are of it."""

from collections.abc import Iterator
from typing import NamedTuple

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
    for counts in _counts(ids, counted, context_lengths, alphabet_size, order):
        probability = counts.interpolated(probability)
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
    N = len(ids)
    probability = np.full(N, 1 / alphabet_size)
    entropy = np.full(N, np.log(alphabet_size))  # of the prediction of each character
    context_lengths = np.arange(N)
    context_lengths[:1] = N  # the prediction after the last character is kept at the first
    for counts in _counts(ids, np.arange(N) > 0, context_lengths, alphabet_size, order):
        share, example = counts.backed_off, counts.example
        lower = (share * probability)[example]
        probability = counts.interpolated(probability)
        p = probability[example]
        correction = np.bincount(
            counts.context[example],
            p * np.log(p) - lower * np.log(lower),
            counts.context.max() + 1,
        )
        mixed = share * entropy - share * np.log(share) - correction[counts.context]
        entropy = np.where(counts.used, mixed, entropy)
    nonnegative: Array = np.maximum(np.roll(entropy, -1), 0)  # but for rounding
    return nonnegative


class _Counts(NamedTuple):
    """What follows the contexts of one length, for each character of a text.

    Attributes:
        context: The number of the context before it (N,).
        used: Whether that context was counted (N,).
        occurrences: How often the character was counted after it (N,).
        n: How often the context was counted (N,).
        d: The number of distinct characters that were counted after it (N,).
        example: For each pair of context and character that was counted, a position of it.
    """

    context: Array
    used: Array
    occurrences: Array
    n: Array
    d: Array
    example: Array

    @property
    def backed_off(self) -> Array:
        """The weight λ = d / (n + d) of the shorter context (N,), 1 where none was counted."""
        return np.where(self.used, self.d / np.maximum(self.n + self.d, 1), 1)

    def interpolated(self, q: Array) -> Array:
        """The probability of each character (N,), from that after one character fewer."""
        return np.where(
            self.used, (self.occurrences + self.d * q) / np.maximum(self.n + self.d, 1), q
        )


def _counts(
    ids: Array, counted: Array, context_lengths: Array, alphabet_size: int, order: int
) -> Iterator[_Counts]:
    """The counts after no character, after one and so on; see `witten_bell_nats`."""
    context = np.zeros(len(ids), dtype=np.int32)  # the number of the context before each character
    for length in range(order + 1):
        if length:
            # a longer context is that of the last character, and the last character
            context = _pair_numbers(np.roll(context, 1), np.roll(ids, 1), alphabet_size)
        known = context_lengths >= length
        seen = np.flatnonzero(counted & known)
        pair = _pair_numbers(context, ids, alphabet_size)
        pair_counts = np.bincount(pair[seen], minlength=pair.max() + 1)
        n = np.bincount(context[seen], minlength=context.max() + 1)
        example = np.zeros(len(pair_counts), dtype=np.intp)
        example[pair[seen]] = seen
        example = example[pair_counts > 0]
        d = np.bincount(context[example], minlength=len(n))
        used = known & (n[context] > 0)
        yield _Counts(context, used, pair_counts[pair], n[context], d[context], example)


def _pair_numbers(contexts: Array, ids: Array, alphabet_size: int) -> Array:
    """Numbers the distinct pairs of context and character from 0, so that they stay small."""
    codes = contexts.astype(np.int64) * alphabet_size + ids
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)
