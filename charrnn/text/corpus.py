"""A text as ids, in a training and a validation part."""

import hashlib
from dataclasses import dataclass

from charrnn.errors import InputError
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import Array


@dataclass(frozen=True)
class Corpus:
    """Ids of a whole text; the validation part is its end. `digest` is the text's SHA-256."""

    vocabulary: Vocabulary
    training: Array
    validation: Array
    digest: str


def split_point(length: int, validation_fraction: float) -> int:
    """How many of `length` characters are for training."""
    return length - round(length * validation_fraction)


def build_corpus(text: str, validation_fraction: float) -> Corpus:
    """The vocabulary, the ids and the split of a text.

    Raises: InputError where the validation part would have less than two characters.
    """
    vocabulary = Vocabulary.of(text)
    ids = vocabulary.lookup(text)
    training = split_point(len(ids), validation_fraction)
    if validation_fraction > 0 and len(ids) - training < 2:
        raise InputError(
            f"the text has {len(ids):,} characters: too few to hold out a fraction of "
            f"{validation_fraction:g}.",
            "give more text, or --set data.validation_fraction=0",
        )
    digest = hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()
    return Corpus(vocabulary, ids[:training], ids[training:], digest)
