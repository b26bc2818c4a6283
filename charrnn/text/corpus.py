"""A text as ids, in a training and a validation part."""

from dataclasses import dataclass
from math import inf

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.text.sequences import SEQUENCES, Sequences
from charrnn.text.text import REPLACEMENT, Text
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.wording import pluralize

SHORT = 64  # characters: a window for a text in which none can be held out
SHOWN = 5  # of a list of characters


@dataclass(frozen=True)
class Corpus:
    """Ids of a whole text in a training and a validation part.

    size: the characters of the text as it was read. digest: its SHA-256.
    notes: on characters that were folded, or that training never sees.
    """

    vocabulary: Vocabulary
    training: Array
    validation: Array
    size: int
    digest: str
    notes: tuple[str, ...] = ()


def build_corpus(
    text: Text,
    validation_fraction: float,
    sequences: Sequences = SEQUENCES["stream"],
    min_count: int = 1,
    known: Vocabulary | None = None,
    extend: bool = False,
) -> Corpus:
    """The vocabulary, the ids and the split of a text, cut into sequences.

    Characters that occur less often than `min_count` are read as U+FFFD, but for those that the
    sequences need or that are known; the digest is of the text before that.
    known: a vocabulary to use. The text's other characters follow after it with `extend`; else they
    are read as U+FFFD where that is known as any rare character, by a `min_count` above 1.
    Raises: InputError where one of the parts would be too short, or a character is not known.
    """
    size, digest = len(text), text.digest()
    notes: tuple[str, ...] = ()
    if min_count > 1:
        needed = {REPLACEMENT, sequences.delimiter or REPLACEMENT}
        least: float = min_count
        if known:
            needed |= {*known.characters}
            least = inf if REPLACEMENT in known.characters and not extend else min_count
        text, notes = _without_rare(text, least, needed)
    text, training = sequences.split(text, validation_fraction)
    if validation_fraction > 0 and len(text) - training < 2:
        raise InputError(
            f"the text has {pluralize(len(text), 'character')}: too few to hold out a fraction of "
            f"{validation_fraction:g}.",
            "give more text, or hold out none: --set data.validation_fraction=0 "
            f"--set training.batch_size=1 --set training.window={min(len(text) - 1, SHORT)}"
            if len(text) > 1
            else "give a text of two characters at least.",
        )
    everywhere, held_out = text.counts(), text[training:].counts()
    found = list(zip(text.characters, everywhere, held_out, strict=True))
    present = [character for character, count, _ in found if count]
    vocabulary = _vocabulary(present, known, extend)
    if unseen := [character for character, count, held in found if 0 < count == held]:
        notes += (
            f"{pluralize(len(unseen), 'character')} never seen in training, only in the held-out "
            f"part: {_shown(unseen)}",
        )
    ids = vocabulary.encode(text)
    return Corpus(vocabulary, ids[:training], ids[training:], size, digest, notes)


def _vocabulary(present: list[str], known: Vocabulary | None, extend: bool) -> Vocabulary:
    if known is None:
        return Vocabulary("".join(present))
    old = {*known.characters}
    new = [character for character in present if character not in old]
    if new and not extend:
        raise InputError(
            f"{pluralize(len(new), 'character')} of the text not among the {len(known)} that the "
            f"model knows: {_shown(new)}",
            "--extend-vocabulary adds what is new.",
        )
    return Vocabulary(known.characters + "".join(new))


def _shown(characters: list[str]) -> str:
    return ", ".join(map(describe, characters[:SHOWN])) + (", …" if characters[SHOWN:] else ".")


def _without_rare(text: Text, least: float, needed: set[str]) -> tuple[Text, tuple[str, ...]]:
    """The text with its rare characters folded into one, and how many there were."""
    rare = {
        character: count
        for character, count in zip(text.characters, text.counts(), strict=True)
        if 0 < count < least and character not in needed
    }
    what = "unknown" if least == inf else f"rarer than data.min_count = {least}"
    if not rare:
        return text, (f"no character is {what}: none is read as U+FFFD.",)
    kinds, number = pluralize(len(rare), "kind"), pluralize(sum(rare.values()), "character")
    note = f"{number} of {kinds} {what} read as U+FFFD."
    return text.folded(rare), (note,)
