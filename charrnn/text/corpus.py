"""A text as ids, in a training and a validation part."""

from dataclasses import dataclass

from charrnn.errors import InputError
from charrnn.text.sequences import SEQUENCES
from charrnn.text.text import REPLACEMENT, Text
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.window import Array
from charrnn.words import counted

SHORT = 64  # characters: a window for a text in which none can be held out
SHOWN = 5  # of a list of characters


@dataclass(frozen=True)
class Corpus:
    """Ids of a whole text in a training and a validation part. `digest` is the text's SHA-256.

    remarks: on characters that were folded, or that training never sees.
    """

    vocabulary: Vocabulary
    training: Array
    validation: Array
    digest: str
    remarks: tuple[str, ...] = ()


def build_corpus(
    text: Text, validation_fraction: float, sequences: str = "stream", min_count: int = 1
) -> Corpus:
    """The vocabulary, the ids and the split of a text, cut as SEQUENCES says.

    Characters that occur less often than `min_count` are read as U+FFFD, but for those that the
    sequences need; the digest is of the text before that.
    Raises: InputError where one of the parts would be too short.
    """
    digest = text.digest()
    remarks: tuple[str, ...] = ()
    if min_count > 1:
        text, remarks = _without_rare(text, min_count, SEQUENCES[sequences].end or "")
    text, training = SEQUENCES[sequences].arranged(text, validation_fraction)
    if validation_fraction > 0 and len(text) - training < 2:
        raise InputError(
            f"the text has {counted(len(text), 'character')}: too few to hold out a fraction of "
            f"{validation_fraction:g}.",
            "give more text, or hold out none: --set data.validation_fraction=0 "
            f"--set training.batch_size=1 --set training.window={min(len(text) - 1, SHORT)}"
            if len(text) > 1
            else "give a text of two characters at least.",
        )
    everywhere, held_out = text.counts(), text[training:].counts()
    found = list(zip(text.characters, everywhere, held_out, strict=True))
    vocabulary = Vocabulary("".join(character for character, count, _ in found if count))
    if unseen := [character for character, count, held in found if 0 < count == held]:
        shown = ", ".join(describe(character) for character in unseen[:SHOWN])
        remarks += (
            f"{counted(len(unseen), 'character')} never seen in training, only in the held-out "
            f"part: {shown}{', …' if len(unseen) > SHOWN else '.'}",
        )
    ids = vocabulary.encode(text)
    return Corpus(vocabulary, ids[:training], ids[training:], digest, remarks)


def _without_rare(text: Text, min_count: int, needed: str) -> tuple[Text, tuple[str, ...]]:
    """The text with its rare characters folded into one, and how many there were."""
    rare = {
        character: count
        for character, count in zip(text.characters, text.counts(), strict=True)
        if 0 < count < min_count and character not in needed + REPLACEMENT
    }
    if not rare:
        return text, (f"no character is rarer than data.min_count = {min_count}.",)
    kinds, number = counted(len(rare), "kind"), counted(sum(rare.values()), "character")
    remark = f"{number} of {kinds} rarer than data.min_count = {min_count} read as U+FFFD."
    return text.folded(rare), (remark,)
