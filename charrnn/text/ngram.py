"""N-gram counts: how well they alone predict a text, and how certain they are of it."""

from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array


class _Level(NamedTuple):
    """The counts after contexts of one length.

    Attributes:
        pairs: Each pair of context and character in the text, as context · A + character, sorted.
            A pair's place is the number of the context that is one character longer.
        pair_counts: How often each is counted.
        totals: n of each context: how many characters are counted after it.
        distinct: d of each context: how many distinct ones.
    """

    pairs: Array
    pair_counts: Array
    totals: Array
    distinct: Array


class NGram:
    """An n-gram model with Witten-Bell smoothing, fitted to a text.

    The probability of a character after its last `order` characters is interpolated with that
    after one character fewer, down to the uniform distribution. With the count n of the context,
    the number d of distinct characters after it, and the probability q after one character fewer,
    p = (count + d q) / (n + d).

    Args:
        ids: The text (N,); the character before the first is the last one, a delimiter if any.
        context_lengths: The number of characters before each in its sequence (N,); one with 0 is
            not predicted, and so not counted.
        alphabet_size: A, the number of characters in the vocabulary.
        order: The number of characters in the longest context; 0 for a unigram model.

    Reference:
        Witten & Bell 1991, method C; Chen & Goodman 1999, section 2.
    """

    def __init__(self, ids: Array, context_lengths: Array, alphabet_size: int, order: int) -> None:
        self._alphabet_size, self._levels = alphabet_size, list[_Level]()
        counted = context_lengths > 0
        contexts, count = np.zeros(len(ids), np.int64), 1  # the number of each one's context
        for length in range(order + 1):
            known = context_lengths >= length
            pairs, place = np.unique(contexts * alphabet_size + ids, return_inverse=True)
            pair_counts = np.bincount(place[known & counted], minlength=len(pairs))
            of_pair = pairs // alphabet_size
            totals = np.bincount(of_pair, pair_counts, minlength=count)
            distinct = np.bincount(of_pair[pair_counts > 0], minlength=count)
            self._levels.append(_Level(pairs, pair_counts, totals, distinct))
            contexts, count = np.roll(place, 1), len(pairs)

    def probabilities(self, ids: Array, context_lengths: Array) -> Array:
        """The probability of each character after those before it.

        Args:
            ids: A text (M,); the character before the first is the last one.
            context_lengths: The number of characters before each in its sequence (M,).

        Returns:
            p (order + 1, M): row k looks at the last k characters.
        """
        p = np.full(len(ids), 1 / self._alphabet_size)
        rows = np.empty((len(self._levels), len(ids)))
        contexts = np.zeros(len(ids), np.int64)  # -1 for one that the counted text lacks
        for length, level in enumerate(self._levels):
            pairs = contexts * self._alphabet_size + ids  # negative, and so not found, without one
            place = np.minimum(np.searchsorted(level.pairs, pairs), len(level.pairs) - 1)
            found = level.pairs[place] == pairs
            n, d = level.totals[contexts], level.distinct[contexts]
            used = (contexts >= 0) & (context_lengths >= length) & (n > 0)
            mixed = np.where(found, level.pair_counts[place], 0) + d * p
            p = rows[length] = np.where(used, mixed / np.maximum(n + d, 1), p)
            contexts = np.roll(np.where(found, place, -1), 1)
        return rows


def witten_bell_entropy(ids: Array, order: int, alphabet_size: int) -> Array:
    """Entropy of an n-gram model's prediction after each character, with the text's own counts.

    The model is `NGram`. With λ = d / (n + d), the sum Σ p log p over the
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
