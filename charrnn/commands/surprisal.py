"""Scores each character of a text."""

from collections.abc import Iterator

import numpy as np

from charrnn.analysis.surprisal import Surprisals, surprisals_of
from charrnn.analysis.unit_states import ReadText
from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.results import CharacterScores
from charrnn.setup.loading import Model
from charrnn.setup.wiring import sequences_of

LIKELIEST = 5  # characters that are named at each position


def scores_of_ids(model: Model, ids: Array, limit: int | None = None) -> CharacterScores:
    """Scores each character of a text (N,) of the model's ids, or of its beginning.

    Args:
        model: The model.
        ids: The ids, as `encode_text` returns them: for lines and documents with their delimiters.
        limit: The number of characters to score; None for all.

    Raises:
        CharrnnError: A score is not finite.
    """
    return joined([*score_pieces(model, ids, limit)])


def score_pieces(model: Model, ids: Array, limit: int | None = None) -> Iterator[CharacterScores]:
    """The same in pieces of bounded memory, one after another in the order of the text."""
    text = read_text_of(model, ids[:limit])
    count = min(LIKELIEST, len(model.vocabulary))
    start = len(text.ids) - len(text.steps[1])
    if start:
        yield _scores(model, ids[:1], _unpredicted(count))
    for found in surprisals_of(text, LIKELIEST):
        require_finite(found.nats)
        stop = start + len(found.nats)
        yield _scores(model, ids[start:stop], found)
        start = stop


def read_text_of(model: Model, ids: Array) -> ReadText:
    """A text (N,) of the model's ids, as the model reads it in order."""
    delimiter = sequences_of(model.config).delimiter
    number = None if delimiter is None else model.vocabulary.characters.index(delimiter)
    return ReadText(model.params, model.activation, ids, number)


def require_finite(values: Array | float) -> None:
    """Raises CharrnnError for states or scores that are not finite."""
    if not np.isfinite(values).all():
        raise CharrnnError(
            "the model overflows on this text.",
            "its weights are too large; train with a lower model.initialization.recurrent_gain.",
        )


def _unpredicted(count: int) -> Surprisals:
    """What stands for the surprisals of a character that is not predicted."""
    nothing = np.full((1, count), np.nan)
    return Surprisals(nothing[:, 0], np.zeros(1, int), np.zeros((1, count), int), nothing)


def _scores(model: Model, ids: Array, found: Surprisals) -> CharacterScores:
    return CharacterScores(
        model.vocabulary.decode(ids),
        **found._asdict(),
        characters=tuple(model.vocabulary.characters),
    )


def joined(pieces: list[CharacterScores]) -> CharacterScores:
    """The scores of pieces of a text, one after another, as those of one text."""
    arrays = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in Surprisals._fields
    }
    text = "".join(piece.text for piece in pieces)
    return CharacterScores(text, **arrays, characters=pieces[0].characters)
