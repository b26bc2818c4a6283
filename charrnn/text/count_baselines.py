"""How well a text is predicted without a network: by counts of characters, and by a compressor."""

import lzma
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.text.ngram import NGram
from charrnn.text.sequences import Sequences
from charrnn.text.text import CHUNK_CHARACTERS, Text
from charrnn.units import BITS_PER_NAT

NGRAM_CONTEXT = 4
MAX_COUNTED = 2_000_000  # characters of training text; more would take memory and gain little
XZ_PRESET = 6  # that of the program xz


class CountedNats(NamedTuple):
    """The loss of models that count characters, in nats per character.

    unigram: of how often each character occurs. ngram: of what follows each NGRAM_CONTEXT
    characters. predicted: the number of characters that are predicted.
    """

    unigram: float
    ngram: float
    predicted: int


def counted_nats(
    training: Array, scored: Array, sequences: Sequences, alphabet_size: int
) -> CountedNats:
    """Fits counts to the end of a training text, and scores another text with them.

    As for a network, a sequence of the scored text starts without a context.

    Args:
        training: The ids of the training text (N,).
        scored: The ids of the text to score (M,), of which at least one is predicted.
        sequences: How both are read as sequences.
        alphabet_size: The number of characters in the vocabulary.
    """
    training = training[-MAX_COUNTED:]
    model = NGram(training, sequences.context_lengths(training), alphabet_size, NGRAM_CONTEXT)
    nats, predicted = np.zeros(2), 0
    for ids, context_lengths, own in chunks_with_contexts(scored, sequences, NGRAM_CONTEXT):
        targets = context_lengths[own] > 0
        p = model.probabilities(ids, context_lengths)[[0, NGRAM_CONTEXT], own][:, targets]
        nats -= np.log(p).sum(axis=1)
        predicted += len(p[0])
    unigram, ngram = (nats / predicted + 0.0).tolist()  # no negative zero
    return CountedNats(unigram, ngram, predicted)


def predicted_characters(ids: Array, sequences: Sequences) -> int:
    """The number of characters of a text (N,) that are predicted."""
    chunks = chunks_with_contexts(ids, sequences, 1)
    return sum(int((lengths[own] > 0).sum()) for _, lengths, own in chunks)


def chunks_with_contexts(
    ids: Array, sequences: Sequences, longest: int, size: int = CHUNK_CHARACTERS
) -> Iterator[tuple[Array, Array, slice]]:
    """Cuts a text into chunks that include the characters before them.

    Args:
        ids: The text (N,).
        sequences: How it is read as sequences.
        longest: The number of characters before each that are looked at.
        size: The number of characters of a chunk.

    Yields:
        The ids of a chunk, between the `longest` before it and the last id of the text, which in
        lines and documents is the delimiter before the first, too; the number of characters before
        each in its sequence, exact up to `longest`; and where the chunk itself is.
    """
    for start in range(0, len(ids), size):
        begin = max(start - longest, 0)
        around = np.append(ids[begin : start + size], ids[-1])
        yield around, sequences.context_lengths(around), slice(start - begin, -1)


def xz_nats(text: Text, predicted: int) -> float:
    """The size to which xz compresses a text by itself, in nats per predicted character.

    A compressor starts without any statistics, so that the size says little on a short text.

    Args:
        text: The text, which is compressed in UTF-8; the headers of the file count too.
        predicted: The number of its characters that a model predicts.
    """
    compressor, size = lzma.LZMACompressor(preset=XZ_PRESET), 0
    for chunk in text.chunks():
        size += len(compressor.compress(str(chunk).encode("utf-8", "surrogatepass")))
    return 8 * (size + len(compressor.flush())) / BITS_PER_NAT / predicted
