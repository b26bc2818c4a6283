"""N-gram counts: how well they alone predict a text, and how certain they are of it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array


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
        context, number = np.zeros(len(ids), np.int64), 1  # of contexts
        for length in range(order + 1):
            counted = (context_lengths > 0) & (context_lengths >= length)
            pairs, pair = np.unique(context * alphabet_size + ids, return_inverse=True)
            occurrences = np.bincount(pair[counted], minlength=len(pairs))
            of_pair = pairs // alphabet_size
            n = np.bincount(of_pair, occurrences, minlength=number)
            d = np.bincount(of_pair[occurrences > 0], minlength=number)
            self._levels.append(_Level(pairs, occurrences, n, d))
            context, number = np.roll(pair, 1), len(pairs)

    def probabilities(self, ids: Array, context_lengths: Array) -> Array:
        """The probability of each character after those before it.

        Args:
            ids: A text (M,); the character before the first is the last one.
            context_lengths: The number of characters before each in its sequence (M,).

        Returns:
            p (order + 1, M): row k looks at the last k characters.
        """
        p, rows = np.full(len(ids), 1 / self._alphabet_size), []
        for counts in self.counts(ids, context_lengths):
            p = counts.interpolated(p)
            rows.append(p)
        return np.stack(rows)

    def counts(self, ids: Array, context_lengths: Array) -> Iterator["Counts"]:
        """The counts after no character, after one and so on; see `probabilities`."""
        context = np.zeros(len(ids), np.int64)  # -1 for one that the counted text lacks
        for length, (pairs, occurrences, n, d) in enumerate(self._levels):
            code = context * self._alphabet_size + ids  # negative, and so not found, without one
            pair = np.minimum(np.searchsorted(pairs, code), len(pairs) - 1)
            found = pairs[pair] == code
            used = (context >= 0) & (context_lengths >= length) & (n[context] > 0)
            pair = np.where(found, pair, -1)
            times = np.where(found, occurrences[pair], 0)
            yield Counts(context, pair, used, times, n[context], d[context])
            context = np.roll(pair, 1)  # a longer context is that of the last character, and it


class _Level(NamedTuple):
    """The counts after contexts of one length.

    Attributes:
        pairs: Each pair of context and character in the text, as context · A + character, sorted.
            A pair's index is the number of the context that is one character longer.
        occurrences: How often each pair is counted.
        n: How often a character is counted after each context.
        d: The number of distinct characters that are counted after each context.
    """

    pairs: Array
    occurrences: Array
    n: Array
    d: Array


class Counts(NamedTuple):
    """What follows the contexts of one length, for each character of a text.

    Attributes:
        context: The number of the context before it (N,).
        pair: The number of the pair of that context and the character (N,); -1 for a new one.
        used: Whether that context was counted (N,).
        occurrences: How often the character was counted after it (N,).
        n: How often the context was counted (N,).
        d: The number of distinct characters that were counted after it (N,).
    """

    context: Array
    pair: Array
    used: Array
    occurrences: Array
    n: Array
    d: Array

    @property
    def backed_off(self) -> Array:
        """The weight λ = d / (n + d) of the shorter context (N,), 1 where none was counted."""
        return np.where(self.used, self.d / np.maximum(self.n + self.d, 1), 1)

    def interpolated(self, q: Array) -> Array:
        """The probability of each character (N,), from that after one character fewer."""
        return np.where(
            self.used, (self.occurrences + self.d * q) / np.maximum(self.n + self.d, 1), q
        )


def witten_bell_entropy(ids: Array, order: int, alphabet_size: int) -> Array:
    """Entropy of an n-gram model's prediction after each character, with the text's own counts.

    The model is `NGram`. With λ = d / (n + d), the sum Σ p log p over the alphabet is
    λ log λ + λ Σ q log q, corrected for the characters that were counted, so that the time is
    linear in the length of the text.

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
    place = np.arange(N)
    model, context_lengths = NGram(ids, place, alphabet_size, order), place.copy()
    context_lengths[:1] = N  # the prediction after the last character is kept at the first
    for length, counts in enumerate(model.counts(ids, context_lengths)):
        share, counted = counts.backed_off, place[max(length, 1) :]
        example = np.full(counts.pair.max() + 1, -1)  # a place of each pair that was counted
        example[counts.pair[counted]] = counted
        example = example[example >= 0]
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
