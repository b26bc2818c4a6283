"""Scores a model on a text, in nats, bits and perplexity."""

from math import isfinite
from typing import Any

from charrnn.config.layers import changed
from charrnn.errors import CharrnnError
from charrnn.results import TextScore
from charrnn.setup.loading import encode_text, load_model
from charrnn.setup.wiring import sequences_of
from charrnn.training.evaluation import SCORING_LANES, Scorer
from charrnn.training.workers import choose_workers, worker_threads


def score_text(
    checkpoint: str, paths: list[str], unknown: str | None, changes: dict[str, Any]
) -> tuple[TextScore, tuple[str, ...]]:
    """Scores a model on a text.

    Args:
        checkpoint: A checkpoint or a run directory.
        paths: Text files or directories; - reads stdin.
        unknown: What to do with characters that the model does not know; see `unknown_policy`.
        changes: Changes of the model's `data` settings, such as another encoding.

    Returns:
        The score, and notes on the text.

    Raises:
        InputError: The checkpoint or the text is unusable, or has unknown characters.
        UsageError: The changes are invalid, or unknown characters cannot be replaced.
        CharrnnError: The score is not finite.
    """
    model = load_model(checkpoint, ("eval", *paths))
    model = model._replace(config=changed(model.config, {"data": changes}))
    ids, text, notes = encode_text(model, paths, unknown)
    windows = sequences_of(model.config).scoring_windows(ids)
    count = choose_workers("auto", SCORING_LANES, model.params.hidden_size)
    with worker_threads(count) as workers:
        score = Scorer(model.activation, workers)(model.params, windows)
    require_finite(score.nats)
    bits = score.bits_per_character * score.characters
    result = TextScore(
        characters=score.characters,
        nats_per_character=score.nats_per_character,
        bits_per_character=score.bits_per_character,
        bits_per_byte=bits / text[-score.characters :].utf8_size(),
        perplexity=score.perplexity,
    )
    return result, notes


def require_finite(nats: float) -> None:
    """Raises CharrnnError for a score that is not finite."""
    if not isfinite(nats):
        raise CharrnnError(
            "the model's score on this text is not finite.",
            "its weights are too large; train with a lower model.initialization.recurrent_gain.",
        )
