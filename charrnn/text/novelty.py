"""Passages that some texts have in common with a longer one, found exactly.

Equal passages of the texts get equal numbers, and the longer text is read through a table of them.
A passage of 2m characters is a pair of passages of m characters; any other length is two passages
that overlap.

Reference:
    Karp, Miller and Rosenberg 1972, Rapid Identification of Repeated Patterns in Strings, Trees
    and Arrays.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array

CHUNK_CHARACTERS = 1 << 17  # of the longer text, processed at a time
MAX_DENSE = 1 << 22  # entries of a table with one for every pair
FILTER_ENTRIES, MIN_FILTER = 16, 1 << 16  # per pair and at least, in a table excluding most others
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # spreads pairs over that table


class Common(NamedTuple):
    """What texts have in common with a longer text.

    Attributes:
        shares: For each length, the fraction of the texts' passages, at every position, that occur
            in it; None if there are no passages of that length.
        length: The length of the longest passage that occurs in it.
        offset: Where it first occurs there.
    """

    shares: tuple[float | None, ...]
    length: int
    offset: int


def in_common(texts: Sequence[Array], longer: Array, lengths: Sequence[int]) -> Common:
    """Finds the passages of texts that occur in a longer text.

    A passage is a stretch of a single text, from any position. Texts of some thousand characters
    take about 10 s per 10⁸ characters of the longer one, in memory that only the texts determine.

    Args:
        texts: The ids (n,) of each text; -1 occurs nowhere.
        longer: The ids (N,) of the longer one.
        lengths: The lengths of the passages, each at least 1.
    """
    passages = _Passages(texts)
    lengths = [*lengths]
    seen = [np.zeros(passages.table(length).count + 1, bool) for length in lengths]
    best, offset = 0, 0
    for start, numbers in passages.numbered(longer):
        for length, found in zip(lengths, seen, strict=True):
            found[numbers(length)] = True
        reached = _longest(numbers, best, passages.longest)
        if reached > best:
            best, offset = reached, start + int(np.argmax(numbers(reached) > 0))
    shares = []
    for length, found in zip(lengths, seen, strict=True):
        own = passages.numbers(length)
        number = sum(max(len(text) - length + 1, 0) for text in texts)
        shares.append(float(found[own[own > 0]].sum() / number) if number else None)
    return Common(tuple(shares), best, offset)


def _longest(numbers: Callable[[int], Array], low: int, longest: int) -> int:
    """The length of the longest passage in a chunk, or `low` if none is longer.

    A passage that occurs has beginnings that occur, so the length can be found by bisection.
    """
    high = low + 1
    while high <= longest and numbers(high).any():
        low, high = high, 2 * high
    high = min(high, longest + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if numbers(middle).any() else (low, middle)
    return low


class _Passages:
    """The passages of texts, numbered from 1 by length; 0 is for others."""

    def __init__(self, texts: Sequence[Array]) -> None:
        self.longest = max(map(len, texts), default=0)
        end = np.full(1, -1)
        parts = [part for text in texts for part in (text.astype(int), end)]
        self._ids = np.concatenate([end, *parts])
        self._tables: dict[int, _Table] = {}
        self._numbers: dict[int, Array] = {}

    def table(self, length: int) -> "_Table":
        """What numbers the passages of a length."""
        if length not in self._tables:
            keys = self._ids if length == 1 else _pairs(self.numbers, length, self.table)
            self._tables[length] = _Table(keys)
            self._numbers[length] = self._tables[length](keys)
        return self._tables[length]

    def numbers(self, length: int) -> Array:
        """The number of the passage that starts at each position of the texts and between."""
        self.table(length)
        return self._numbers[length]

    def numbered(self, text: Array) -> Iterator[tuple[int, Callable[[int], Array]]]:
        """Chunks of a text: the start of each, and a function from lengths to passage numbers.

        Each passage of the text starts in one chunk.
        """
        size = max(CHUNK_CHARACTERS, self.longest)
        for start in range(0, len(text), size):
            yield start, _numbering(text[start : start + size + self.longest - 1], self.table)


def _numbering(ids: Array, table: Callable[[int], "_Table"]) -> Callable[[int], Array]:
    """The numbers of passages of a chunk by their length; those of powers of two are kept."""
    kept = {1: table(1)(ids)}

    def numbers(length: int) -> Array:
        if length in kept:
            return kept[length]
        found = table(length)(_pairs(numbers, length, table))
        if length & (length - 1) == 0:
            kept[length] = found
        return found

    return numbers


def _pairs(numbers: Callable[[int], Array], length: int, table: Callable[[int], "_Table"]) -> Array:
    """For each passage, a key of the two shorter ones that it consists of; -1 if one has none."""
    half = 1 << (length - 1).bit_length() - 1
    halves, shift = numbers(half), length - half
    left, right = halves[: max(len(halves) - shift, 0)], halves[shift:]
    keys = np.full(len(left), -1)
    known = np.flatnonzero((left > 0) & (right > 0))
    keys[known] = left[known] * (table(half).count + 1) + right[known]
    return keys


class _Table:
    """Numbers the distinct keys of those given, from 1; -1 is no key."""

    def __init__(self, keys: Array) -> None:
        self._keys = np.unique(keys[keys >= 0])
        self.count = len(self._keys)
        self._dense: Array | None = None
        bits = max(self.count * FILTER_ENTRIES, MIN_FILTER).bit_length()
        if self.count and (largest := int(self._keys[-1])) < MAX_DENSE:
            self._dense = np.zeros(largest + 1, np.intp)
            self._dense[self._keys] = np.arange(1, self.count + 1)
        else:
            self._shift = np.uint64(64 - bits)
            self._filter = np.zeros(1 << bits, bool)
            self._filter[self._hashed(self._keys)] = True

    def __call__(self, keys: Array) -> Array:
        """The number of each key; 0 for others."""
        numbers = np.zeros(len(keys), np.intp)
        if not self.count:
            return numbers
        positions = np.flatnonzero((keys >= 0) & (keys <= self._keys[-1]))
        keys = keys[positions].astype(np.int64)
        if self._dense is not None:
            numbers[positions] = self._dense[keys]
            return numbers
        likely = np.flatnonzero(self._filter[self._hashed(keys)])
        keys, positions = keys[likely], positions[likely]
        ranks = self._keys.searchsorted(keys)
        numbers[positions] = np.where(self._keys[ranks] == keys, ranks + 1, 0)
        return numbers

    def _hashed(self, keys: Array) -> Array:
        return (keys.astype(np.uint64) * MULTIPLIER) >> self._shift
