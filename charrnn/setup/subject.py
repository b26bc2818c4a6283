"""The subject of an analysis: a model, trained or before training, and a text to run it on."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.config.layers import Layer, changes, load_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.setup.loading import encode_text, load_model, require_predictable
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
    model: str | None,
    config_path: str | None,
    assignments: list[str],
    text: str | None,
    announce: Announce,
    flags: Layer | None = None,
) -> Subject:
    """The model that a command is given, and a text.

    Args:
        model: A checkpoint, a run directory or a config.
        config_path: A config, if `model` is not one. By default the default config.
        assignments: Changes of the config, as `key.path=value`.
        text: A text to use; by default the one that the model is trained on.
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
                f"{model} is a checkpoint, which has its own config: {changed[0]} cannot change "
                "it.",
                "give a config instead, or leave the change out.",
            )
        return trained_subject(model, text, announce)
    path = model or config_path
    config = load_config(path, assignments, flags or {})
    return untrained_subject(config, path or "the default config", text)


def require_one_model(model: str | None, config_path: str | None) -> None:
    """Raises UsageError if a model and a config are both given."""
    if model is not None and config_path is not None:
        raise UsageError(
            f"{model} and the config {config_path} are both given.", "choose one of them."
        )


def trained_subject(checkpoint: str, text: str | None, announce: Announce) -> Subject:
    """A checkpoint and a text in its alphabet; by default the text it was trained on.

    Raises:
        InputError: The checkpoint or the text is unusable.
        UsageError: The model was trained from standard input, and no text is given.
    """
    model = load_model(checkpoint)
    paths = text_paths(model.config) if text is None else [text]
    if text is None:
        announce_own_text(model.path, paths, announce)
    try:
        ids, _, notes = encode_text(model, paths, own=text is None)
    except InputError as error:
        own = "give a text as `text`; without it, the one that the model was trained on is read."
        raise InputError(str(error), own if text is None else error.hint) from None
    return Subject(model.path, model.params, model.config, ids, notes, model.steps)


def untrained_subject(config: Config, name: str, text: str | None) -> Subject:
    """The model of a config before its first step, and a text; by default the config's.

    Raises:
        InputError: The text is unusable.
    """
    if text is not None:
        require_texts([text])
    documents, notes = read_text(
        text_paths(config) if text is None else [text], decoding_of(config), selection_of(config)
    )
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
