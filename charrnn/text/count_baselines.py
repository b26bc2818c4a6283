"""How well a text is predicted without a network: by counts of characters, and by a compressor."""

import lzma
from math import log
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.text.ngram import witten_bell_nats
from charrnn.text.sequences import Sequences
from charrnn.text.text import Text

NGRAM_CONTEXT = 4
MAX_COUNTED = 2_000_000  # characters of training text; more would take memory and gain little
MAX_SCORED = 20_000_000  # characters that counts can be compared on
MAX_COMPRESSED = 2_000_000  # characters; a longer text would take more than some seconds


class CountedNats(NamedTuple):
    """The loss of models that count characters, in nats per character.

    unigram: of how often each character occurs. ngram: of what follows each NGRAM_CONTEXT
    characters.
    """

    unigram: float
    ngram: float


def counted_nats(
    training: Array, scored: Array, sequences: Sequences, alphabet_size: int
) -> CountedNats:
    """Fits counts to the end of a training text, and scores another text with them.

    Args:
        training: The ids of the training text (N,).
        scored: The ids of the text to score (M,).
        sequences: How both are read as sequences.
        alphabet_size: The number of characters in the vocabulary.
    """
    training = training[-MAX_COUNTED:]
    ids = np.concatenate([training, scored])
    is_target = np.concatenate([sequences.context_lengths(part) > 0 for part in (training, scored)])
    in_training = np.arange(len(ids)) < len(training)
    unigram, ngram = (
        witten_bell_nats(
            ids,
            counted=is_target & in_training,
            scored=is_target & ~in_training,
            context_lengths=sequences.context_lengths(ids),
            alphabet_size=alphabet_size,
            order=order,
        )
        for order in (0, NGRAM_CONTEXT)
    )
    return CountedNats(unigram, ngram)


def xz_nats(text: Text, predicted: int) -> float | None:
    """The size to which xz compresses a text by itself, in nats per predicted character.

    A compressor starts without knowledge, and on a short text learns little on its way.

    Args:
        text: The text.
        predicted: The number of its characters that a model predicts.

    Returns:
        The size; None for a text longer than MAX_COMPRESSED.
    """
    if len(text) > MAX_COMPRESSED:
        return None
    compressed = lzma.compress(str(text).encode("utf-8", "surrogatepass"), preset=9)
    return len(compressed) * 8 * log(2) / predicted
