"""Finds how much of generated texts is copied from the text that a model was trained on."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from charrnn.arrays import Array
from charrnn.commands.speed import NOTED_SECONDS
from charrnn.results import Copy, Items, Novelty, Overlap
from charrnn.setup.known_text import KnownText, known_text
from charrnn.setup.loading import load_model
from charrnn.setup.own_text import Announce
from charrnn.text.novelty import in_common
from charrnn.text.search import find, items_of
from charrnn.text.text import Text
from charrnn.wording import pluralize, rough_duration

LENGTHS = (5, 10, 20, 30, 50)  # characters of the passages
SECONDS_PER_CHARACTER = 1e-7  # of the text that samples are compared with
Texts = Sequence[tuple[str, str]]  # each whole, and the part that was generated


def novelty(
    checkpoint: str,
    texts: Sequence[str],
    *,
    text: Sequence[str] = (),
    lengths: Sequence[int] = LENGTHS,
    announce: Announce = lambda note: None,
) -> Novelty:
    """Finds how much of texts occurs in the text that a model was trained on.

    Args:
        checkpoint: A checkpoint or a run directory.
        texts: The texts; of a model of lines or documents, one item each.
        text: Files to compare with; by default those that the model was trained on, without the
            held-out part.
        lengths: The lengths of the passages that are looked for.
        announce: Called with a note before a text is read that only the checkpoint names, and
            before what takes long.

    Raises:
        InputError: The checkpoint or a text is unusable.
        UsageError: A text has to be given, or is none.
    """
    known = known_text(load_model(checkpoint), [*text], announce)
    return novelty_in(known, [(None, [(one, one) for one in texts])], lengths, announce)


def novelty_in(
    known: KnownText,
    samples: Sequence[tuple[float | None, Texts]],
    lengths: Sequence[int] = LENGTHS,
    announce: Announce = lambda note: None,
) -> Novelty:
    """Finds how much of samples occurs in a known text.

    Args:
        known: The text to compare with.
        samples: Temperatures and their texts: each as a whole, which is compared with items, and
            the part of it that was generated, whose passages are looked for.
        lengths: The lengths of the passages that are looked for.
        announce: Called with a note before what takes long.
    """
    held_out = _held_out(known, samples[0][1]) if samples else []
    seconds = len(known.training) * (len(samples) + bool(held_out)) * SECONDS_PER_CHARACTER
    if seconds > NOTED_SECONDS:
        size = pluralize(len(known.training), "character")
        announce(f"comparing with {size}: about {rough_duration(seconds)}")
    return Novelty(
        text=known.files,
        own=known.own,
        characters=len(known.training),
        lengths=tuple(lengths),
        samples=tuple(
            _overlap(known, texts, lengths, temperature) for temperature, texts in samples
        ),
        held_out=_overlap(known, held_out, lengths, None) if held_out else None,
        item=known.item,
    )


def _overlap(
    known: KnownText, texts: Texts, lengths: Sequence[int], temperature: float | None
) -> Overlap:
    training = known.training.ids_in(known.characters)
    ids = [_ids(generated, known.characters) for _, generated in texts]
    common = in_common(ids, training, lengths)
    longest = None
    if common.length:
        passage = known.training[common.offset : common.offset + common.length]
        longest = _copy(str(passage), known)
    items = None
    if known.item:
        whole = [text for text, _ in texts]
        copies = tuple(text for text in whole if text and known.has(text))
        items = Items(len(whole), copies, len(whole) - len(set(whole)))
    return Overlap(temperature, sum(map(len, ids)), common.shares, longest, items)


def _ids(text: str, characters: str) -> Array:
    """The ids (n,) of a text; -1, which occurs nowhere, for unknown characters."""
    ids = Text.of(text).ids_in(characters).astype(int)
    return np.where(ids == len(characters), -1, ids)


def _copy(passage: str, known: KnownText) -> Copy:
    """A passage with the place where it first occurs."""
    text, offset = known.text, find(known.text, passage)
    if offset is None:  # where the parts of two files meet that were not held out
        text, offset = known.training, find(known.training, passage) or 0
    lines = sum(str(chunk).count("\n") for chunk in text[:offset].chunks())
    return Copy(passage, len(passage), offset, lines + 1)


def _held_out(known: KnownText, texts: Texts) -> Texts:
    """Held-out texts with as many characters as these, as far as there are.

    Of a stream they are passages of the same lengths, spread over all of that part; else its first
    lines or documents, the last of which is cut.
    """
    lengths = [len(generated) for _, generated in texts]
    if not known.held_out or not lengths:
        return []
    total = sum(lengths)
    if known.delimiter is not None:
        left, items = total, []
        for item in items_of(known.held_out, known.delimiter):
            if left <= 0:
                break
            items.append((item, item[:left]))
            left -= len(item)
        return items
    ends = list(accumulate(lengths))
    spare = max(len(known.held_out) - total, 0)
    passages = []
    for number, (length, end) in enumerate(zip(lengths, ends, strict=True)):
        start = end - length + spare * number // len(texts)
        passage = str(known.held_out[start : start + length])
        passages.append((passage, passage))
    return passages
