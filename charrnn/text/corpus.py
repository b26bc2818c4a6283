"""The ids of a text, divided into a training and a validation part."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.text.sequences import SEQUENCES, Sequences
from charrnn.text.stored_ids import Origin
from charrnn.text.text import REPLACEMENT, Text
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.wording import pluralize

SHORT_TEXT_WINDOW = 64  # characters: suggested for a text too short to hold out a part
MAX_LISTED = 5  # characters named in a message


@dataclass(frozen=True)
class Corpus:
    """A text as ids.

    Attributes:
        vocabulary: The characters of the ids.
        training: The ids to train on (N,).
        validation: The ids held out (M,).
        size: The number of characters of the text as it was read.
        digest: Its SHA-256.
        counts: How often each character of the vocabulary occurs in the training part.
        notes: What the user should know about rare characters, and about those that do not occur
            in training.
        origin: The stored ids of both parts, one after the other; None if they are in memory only.
    """

    vocabulary: Vocabulary
    training: Array
    validation: Array
    size: int
    digest: str
    counts: tuple[int, ...]
    notes: tuple[str, ...] = ()
    origin: Origin | None = None


def build_corpus(
    text: Text,
    validation_fraction: float,
    sequences: Sequences = SEQUENCES["stream"],
    min_count: int = 1,
    known: Vocabulary | None = None,
    extend: bool = False,
    lengths: Sequence[int] = (),
) -> Corpus:
    """Encodes and divides a text.

    Args:
        text: The text, as `sequences` joins it.
        validation_fraction: The fraction to hold out.
        sequences: How the text is read as sequences.
        min_count: Characters that occur less often are read as U+FFFD, except known ones and the
            delimiter of the sequences.
        known: The vocabulary to use; by default the characters of the text.
        extend: Whether characters that are not known are added to the vocabulary. If not, and
            `known` has U+FFFD and `min_count` is above 1, they are read as U+FFFD.
        lengths: The lengths of the files that were joined, to hold out a part of each; none to hold
            out the end of the whole.

    Raises:
        InputError: A part would be too short, or a character is not known.
    """
    size, digest = len(text), text.digest()
    notes: tuple[str, ...] = ()
    if min_count > 1:
        kept = {REPLACEMENT, sequences.delimiter or REPLACEMENT}
        threshold: float = min_count
        if known:
            kept |= {*known.characters}
            threshold = inf if REPLACEMENT in known.characters and not extend else min_count
        text, notes = _replace_rare(text, threshold, kept)
    text, training = sequences.split(text, validation_fraction, lengths)
    if validation_fraction > 0 and len(text) - training < 2:
        raise InputError(
            f"the text has {pluralize(len(text), 'character')}: too few to hold out a fraction of "
            f"{validation_fraction:g}.",
            "give more text, or hold out none: `data.validation_fraction=0` "
            "`training.batch_size=1` "
            f"`training.window={min(len(text) - 1, SHORT_TEXT_WINDOW)}`"
            if len(text) > 1
            else "give a text of at least two characters.",
        )
    counts = list(zip(text.characters, text.counts(), text[training:].counts(), strict=True))
    present = [character for character, count, _ in counts if count]
    vocabulary = _vocabulary(present, known, extend)
    if unseen := [character for character, count, held_out in counts if 0 < count == held_out]:
        notes += (
            f"{pluralize(len(unseen), 'character')} never seen in training, only in the held-out "
            f"part: {_list(unseen)}",
        )
    ids = vocabulary.encode(text)
    in_training = {character: count - held_out for character, count, held_out in counts}
    return Corpus(
        vocabulary,
        ids[:training],
        ids[training:],
        size,
        digest,
        tuple(in_training.get(character, 0) for character in vocabulary.characters),
        notes,
        text.origin if ids is text.ids else None,
    )


def _vocabulary(present: list[str], known: Vocabulary | None, extend: bool) -> Vocabulary:
    if known is None:
        return Vocabulary("".join(present))
    old = {*known.characters}
    new = [character for character in present if character not in old]
    if new and not extend:
        raise InputError(
            f"the text has {pluralize(len(new), 'character')} outside the {len(known)} that this "
            f"model knows: {_list(new)}",
            "add them to its vocabulary: `model.extend_vocabulary=true`",
        )
    return Vocabulary(known.characters + "".join(new))


def _list(characters: list[str]) -> str:
    shown = ", ".join(map(describe, characters[:MAX_LISTED]))
    return shown + (", …" if characters[MAX_LISTED:] else ".")


def _replace_rare(text: Text, threshold: float, kept: set[str]) -> tuple[Text, tuple[str, ...]]:
    """The text with U+FFFD for characters rarer than the threshold, and a note on them.

    An infinite threshold is for characters that are not known.
    """
    rare = {
        character: count
        for character, count in zip(text.characters, text.counts(), strict=True)
        if 0 < count < threshold and character not in kept
    }
    what = "unknown" if threshold == inf else f"rarer than data.min_count = {threshold}"
    if not rare:
        return text, (f"no character is {what}: none is read as U+FFFD.",)
    kinds, number = pluralize(len(rare), "kind"), pluralize(sum(rare.values()), "character")
    return text.replace(rare), (f"{number} of {kinds} {what} read as U+FFFD.",)
