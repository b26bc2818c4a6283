"""Takes a model out of its checkpoint, to be run in a page."""

from pathlib import Path

from charrnn.errors import InputError
from charrnn.results import PlayableModel
from charrnn.sampling.generation import default_prompt
from charrnn.sampling.start import START
from charrnn.setup.loading import Model, load_model, usual_policy
from charrnn.setup.wiring import run_name, sequences_of, text_paths
from charrnn.text.sources import STDIN
from charrnn.text.text import REPLACEMENT, Text
from charrnn.wording import format_size, setting

MAX_SIZE = 20e6  # bytes of weights in a page, unless the user allows more
BASE64 = 4 / 3  # characters per byte
FLOAT32 = 4


def playable_model(checkpoint: str | Model, max_size: float | None = None) -> PlayableModel:
    """The model of a checkpoint or run, to be run in a page.

    Args:
        checkpoint: The file or run directory, or a loaded model.
        max_size: The bytes that its weights may take in the page; None for 20 MB.

    Raises:
        InputError: There is no checkpoint, it is unusable, or its weights take more.
    """
    return playable(load_model(checkpoint), max_size)


def playable(model: Model, max_size: float | None = None) -> PlayableModel:
    """A loaded model, to be run in a page; see `playable_model`."""
    params, characters = model.params, model.vocabulary.characters
    needed, allowed = BASE64 * FLOAT32 * params.size, MAX_SIZE if max_size is None else max_size
    if needed > allowed:
        raise InputError(
            f"{model.path} has {params.size:,} weights, which take {format_size(needed)} in a "
            f"page; {format_size(allowed)} are allowed.",
            f"allow more: {setting('max_size', f'{int(needed / 1e6) + 1}MB')}",
        )
    delimiter = sequences_of(model.config).delimiter
    opening = delimiter or (default_prompt(model.vocabulary) if model.start is None else START)
    replaced = usual_policy(model.vocabulary, model.config) == "replace"
    return PlayableModel(
        name=run_name(model.config),
        texts=tuple(
            "standard input" if path == STDIN else Path(path).name
            for path in text_paths(model.config)
        ),
        text_size=model.mark.size,
        steps=model.steps,
        activation=model.activation.name,
        hidden_size=params.hidden_size,
        layers=params.depth,
        characters=tuple(characters),
        weights=dict(params.named()),
        start=None if delimiter else model.start,
        opening=tuple(model.vocabulary.encode(Text.of(opening)).tolist()),
        delimiter=None if delimiter is None else characters.index(delimiter),
        replacement=characters.index(REPLACEMENT) if replaced else None,
    )
