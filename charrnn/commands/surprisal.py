"""Scores each character of a text."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from charrnn.analysis.surprisal import Surprisals, surprisals_of
from charrnn.arrays import Array
from charrnn.config.layers import changed
from charrnn.errors import CharrnnError
from charrnn.results import CharacterScores
from charrnn.setup.loading import Model, encode_text, load_model
from charrnn.setup.wiring import sequences_of
from charrnn.system.blas import single_threaded_blas
from charrnn.text.sequences import Sequences

LIKELIEST = 5  # characters that are named at each position


@single_threaded_blas()
def score_characters(
    checkpoint: str,
    paths: list[str],
    unknown: str | None = None,
    changes: dict[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> tuple[CharacterScores, tuple[str, ...]]:
    """Scores each character of a text, or of its beginning.

    Args:
        checkpoint: A checkpoint or a run directory.
        paths: Text files or directories; - reads stdin.
        unknown: What to do with characters that the model does not know; see `unknown_policy`.
        changes: Changes of the model's `data` settings, such as another encoding.
        limit: The number of characters to score; None for all.

    Returns:
        The scores, and notes on the text.

    Raises:
        InputError: The checkpoint or the text is unusable, or has unknown characters.
        UsageError: The changes are invalid, or unknown characters cannot be replaced.
        CharrnnError: A score is not finite.
    """
    model = load_model(checkpoint, ("eval", *paths))
    model = model._replace(config=changed(model.config, {"data": changes or {}}))
    ids, _, notes = encode_text(model, paths, unknown)
    return scores_of_ids(model, ids, limit), notes


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
    length = len(ids) if limit is None else min(limit, len(ids))
    x, y, fresh = prediction_steps(ids, sequences_of(model.config), length)
    first = length - len(y)
    count = min(LIKELIEST, len(model.vocabulary))
    if first:
        yield _scores(model, ids[:1], _unpredicted(count))
    start = first
    for found in surprisals_of(model.params, x, y, fresh, model.activation, LIKELIEST):
        require_finite(float(found.nats.sum()))
        stop = start + len(found.nats)
        yield _scores(model, ids[start:stop], found)
        start = stop


def prediction_steps(
    ids: Array, sequences: Sequences, length: int | None = None
) -> tuple[Array, Array, Array]:
    """What a network reads, and what it predicts, in the order of the text.

    Args:
        ids: The text (N,).
        sequences: How it is read as sequences.
        length: The number of characters at its beginning to predict; None for all.

    Returns:
        The input ids (M,), the targets (M,), and whether the state before each input is zero (M,).
        Of a stream the first character is no target.
    """
    first = 0 if sequences.delimiter else 1
    x, y = np.roll(ids, 1)[first:length], ids[first:length]  # the last id is the delimiter
    fresh = x == ids[-1] if sequences.delimiter else np.zeros(len(x), dtype=bool)
    fresh[:1] = True
    return x, y, fresh


def require_finite(nats: float) -> None:
    """Raises CharrnnError for a score that is not finite."""
    if not isfinite(nats):
        raise CharrnnError(
            "the model's score on this text is not finite.",
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
