"""A model's score on a text, in every unit that people compare."""

from math import isfinite
from typing import Any

from charrnn.config.layers import changed
from charrnn.errors import CharrnnError
from charrnn.setup.loading import encode_text, load_model
from charrnn.text.sequences import SEQUENCES
from charrnn.training.evaluation import LANES, Scorer
from charrnn.training.parallel import choose_workers, crew_of


def score_text(
    checkpoint: str, paths: list[str], unknown: str | None, changes: dict[str, Any]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The score by its units, and remarks on the text.

    changes: of the model's `data`, such as another encoding.
    Every character is predicted but a stream's first; bits_per_byte shares the same bits among the
    bytes that those characters have in UTF-8.
    Raises: InputError for an unusable checkpoint or text, or one with unknown characters;
    UsageError for the changes, or unknown characters that cannot be replaced; CharrnnError where
    the score is not finite.
    """
    model = load_model(checkpoint)
    model = model._replace(config=changed(model.config, {"data": changes}))
    ids, text, remarks = encode_text(model, paths, unknown)
    windows = SEQUENCES[model.config.data.sequences].scoring(ids)
    workers = choose_workers("auto", LANES, model.params.hidden_size)
    with crew_of(workers) as crew:
        score = Scorer(model.activation, crew)(model.params, windows)
    if not isfinite(score.nats):
        raise CharrnnError(
            "the model's score on this text is beyond all numbers.",
            "its weights are too large: train with a lower model.initialization.recurrent_gain.",
        )
    bits = score.bits_per_character * score.characters
    values = {
        "characters": score.characters,
        "nats_per_character": score.nats_per_character,
        "bits_per_character": score.bits_per_character,
        "bits_per_byte": bits / text[-score.characters :].utf8_size(),
        "perplexity": score.perplexity,
    }
    return values, remarks
