"""The subject of an analysis: a model, trained or before training, and a text to run it on."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.config.dotted import Layer
from charrnn.config.layers import changes, load_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.setup.loading import Model, encode_text, load_model, require_predictable
from charrnn.setup.named_texts import located
from charrnn.setup.own_text import Announce, announce_own_text
from charrnn.setup.paths import is_model, require_texts
from charrnn.setup.wiring import (
    activation_of,
    decoding_of,
    first_params,
    selection_of,
    sequences_of,
    text_paths,
)
from charrnn.text.corpus import build_corpus
from charrnn.text.delimited import median_length
from charrnn.text.reading import read_text
from charrnn.text.sources import String
from charrnn.window import NO_TARGET, Window

CONTEXT = 64  # characters read before a passage, so that it does not start from the zero state


class Subject(NamedTuple):
    """A model with its config, the ids (N,) of a text, a title for both, and notes on the text.

    steps: training steps of a checkpoint; None for a model before training.
    """

    title: str
    params: Params
    config: Config
    ids: Array
    notes: tuple[str, ...]
    steps: int | None = None


def subject_of(
    model: str | Model | None,
    config_path: str | Layer | None,
    assignments: list[str],
    text: str | String | None,
    announce: Announce,
    flags: Layer | None = None,
) -> Subject:
    """The model that a command is given, and a text.

    Args:
        model: A checkpoint, a run directory, a loaded model or a config.
        config_path: A config or its values, if `model` is not one. By default the default config.
        assignments: Changes of the config, as `key.path=value`.
        text: A text to use, or its file; by default the one that the model is trained on.
        announce: Called before a text is read that a checkpoint names, with a note on that.
        flags: Changes of the config, as a layer.

    Raises:
        UsageError: Two models are given, or a checkpoint's config would be changed.
        InputError: The checkpoint or the text is unusable.
    """
    require_one_model(model, config_path)
    if model is not None and is_model(model):
        if changed := changes(assignments, flags or {}):
            raise UsageError(
                f"{name_of(model)} is a checkpoint, which has its own config: {changed[0]} cannot "
                "change it.",
                "give a config instead, or leave the change out.",
            )
        return trained_subject(model, text, announce)
    path = model if isinstance(model, str) else config_path
    name = path if isinstance(path, str) else "the config" if path else "the default config"
    return untrained_subject(load_config(path, assignments, flags or {}), name, text)


def name_of(model: str | Model) -> str:
    """What messages call a model."""
    return model if isinstance(model, str) else model.path


def require_one_model(model: str | Model | None, config_path: str | Layer | None) -> None:
    """Raises UsageError if a model and a config are both given."""
    if model is not None and config_path is not None:
        config = f"the config {config_path}" if isinstance(config_path, str) else "a config"
        raise UsageError(f"{name_of(model)} and {config} are both given.", "choose one of them.")


def trained_subject(
    checkpoint: str | Model, text: str | String | None, announce: Announce
) -> Subject:
    """A checkpoint and a text in its alphabet; by default the text it was trained on.

    Raises:
        InputError: The checkpoint or the text is unusable.
        UsageError: The model was trained from standard input, and no text is given.
    """
    model = load_model(checkpoint)
    paths = text_paths(model.config) if text is None else _source(text)
    if text is None:
        announce_own_text(model.path, text_paths(model.config), announce)
    try:
        ids, _, notes = encode_text(model, paths, own=text is None)
    except InputError as error:
        own = "give a text as `text`; without it, the one that the model was trained on is read."
        raise InputError(str(error), own if text is None else error.hint) from None
    return Subject(model.path, model.params, model.config, ids, notes, model.steps)


def _source(text: str | String) -> list[str] | String:
    return [text] if isinstance(text, str) else text


def untrained_subject(config: Config, name: str, text: str | String | None) -> Subject:
    """The model of a config before its first step, and a text; by default the config's.

    Raises:
        InputError: The text is unusable.
    """
    paths = text_paths(config) if text is None else _source(text)
    if text is not None:
        require_texts(paths)
        paths = located(paths)
    documents, notes = read_text(paths, decoding_of(config), selection_of(config))
    sequences = sequences_of(config)
    joined = sequences.join(documents)
    require_predictable(joined)
    corpus = build_corpus(joined, 0.0, sequences, config.data.min_count)
    params = first_params(config, len(corpus.vocabulary))
    return Subject(f"{name} before training", params, config, corpus.training, notes + corpus.notes)


def problem_in_text(
    subject: Subject, random: Generator, time_steps: int, batch_size: int
) -> Problem:
    """Random passages of the text in float64, each from the state that its context leaves."""
    draw = sequences_of(subject.config).random_window
    before, window = draw(subject.ids, random, time_steps, batch_size, CONTEXT)
    return problem_after(before, window, subject.params, activation_of(subject.config))


def problem_after(before: Array, window: Window, params: Params, activation: Activation) -> Problem:
    """A window in float64, from the state that the ids (C, B) before it leave."""
    params = params.astype(np.float64)
    zero = np.zeros((before.shape[1], params.state_size))
    with np.errstate(over="ignore", invalid="ignore"):  # reported by the caller
        return Problem(params, window, states(params, before, zero, activation)[-1].copy())


def looking_back(
    subject: Subject, random: Generator, lags: int, recent: int, batch_size: int
) -> tuple[Array, Window, int]:
    """Draws a window whose last losses can be followed back over many lags.

    In lines and short documents, which are taken from their start, all losses count, and some
    reach back further than others.

    Args:
        subject: The model and the text.
        random: Chooses the passages.
        lags: The number of lags wanted.
        recent: The number of last steps with losses.
        batch_size: The number of lanes B.

    Returns:
        The ids (C, B) before the window, the window, and the number of lags that its losses
        reach: less than `lags` in a short text.
    """
    sequences = sequences_of(subject.config)
    draw, length = sequences.random_window, lags + recent
    if not sequences.has_passages(subject.ids, CONTEXT + length):
        batch_size = max(recent * batch_size // median_length(subject.ids), 1)
        before, window = draw(subject.ids, random, lags, batch_size, CONTEXT)
        return before, window, len(window.x)
    before, (x, y, fresh, *_) = draw(subject.ids, random, length, batch_size, CONTEXT)
    older = min(lags, len(y) // 2) if len(y) < length else lags
    y = np.concatenate([np.full_like(y[:older], NO_TARGET), y[older:]])
    return before, Window(x, y, fresh), max(older, 1)
