"""A text as ids, in a training and a validation part."""

from dataclasses import dataclass

from charrnn.errors import InputError
from charrnn.text.sequences import SEQUENCES
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import Array


@dataclass(frozen=True)
class Corpus:
    """Ids of a whole text in a training and a validation part. `digest` is the text's SHA-256."""

    vocabulary: Vocabulary
    training: Array
    validation: Array
    digest: str


def build_corpus(text: Text, validation_fraction: float, sequences: str = "stream") -> Corpus:
    """The vocabulary, the ids and the split of a text, cut as SEQUENCES says.

    Raises: InputError where one of the parts would be too short.
    """
    digest = text.digest()
    text, training = SEQUENCES[sequences].arranged(text, validation_fraction)
    if validation_fraction > 0 and len(text) - training < 2:
        raise InputError(
            f"the text has {len(text):,} characters: too few to hold out a fraction of "
            f"{validation_fraction:g}.",
            "give more text, or --set data.validation_fraction=0",
        )
    vocabulary = Vocabulary.of(text)
    ids = vocabulary.encode(text)
    return Corpus(vocabulary, ids[:training], ids[training:], digest)
