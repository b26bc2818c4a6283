"""Checks, measures and explains gradients."""

import sys
from collections.abc import Sequence
from typing import Literal, Unpack

from charrnn.commands import explain as explaining
from charrnn.commands.gradcheck import check_gradients
from charrnn.commands.gradflow import TOLERANCE, gradient_flow
from charrnn.config.argument_types import checked
from charrnn.errors import UsageError
from charrnn.keywords import as_layer
from charrnn.library.keywords import (
    Config,
    Network,
    Objective,
    Path,
    Settings,
    as_assignments,
    as_config,
    as_keywords,
)
from charrnn.library.model import Model
from charrnn.library.notes import note, note_all
from charrnn.library.run import Run, path_or_loaded
from charrnn.library.texts import Text, text_or_paths
from charrnn.results import Explanation, GradientCheck, GradientFlow
from charrnn.setup.loading import Model as LoadedModel
from charrnn.text.sources import String
from charrnn.units import in_bytes

Subject = Model | Run | Path


@checked
def gradcheck(
    model: Subject | None = None,
    *,
    config: Config | None = None,
    settings: Settings | None = None,
    text: Text | None = None,
    oracle: str | Sequence[str] = (),
    tolerance: float | None = None,
    entries: int | Literal["all"] | None = None,
    fast: bool = False,
    seed: int = 1,
    max_memory: float | str | None = None,
    **keywords: Unpack[Objective],
) -> GradientCheck:
    """Verifies the gradients of a model against independent methods.

    The loss is that of a training window, with the stride, threads, memory and dropout of the
    config. Without a model, a config and a text, a small random model is checked.

    Args:
        model: A model, a run, a checkpoint or a run directory; or a config, for its model before
            training.
        config: A config, instead of a model.
        settings: Changes of the config.
        text: A text to take the window from, as of `train`.
        oracle: "central-difference", "complex-step", "double-sum", "rtrl" or several of them; all
            by default.
        tolerance: The largest accepted relative error; by default 1e-10, and 1e-6 for central
            differences.
        entries: The entries of each parameter to compare; by default up to 200.
        fast: Whether to check two short passages on one thread instead.
        seed: Random seed for model, window and entries.
        max_memory: Bytes, or a size such as "4GB"; by default half of this machine's memory.
        keywords: Settings of the config by their short names; see `Objective`.

    Returns:
        The result, whose `passed` is the verdict.

    Raises:
        UsageError: Arguments are invalid or contradict each other.
        InputError: The checkpoint or the text is unusable.
    """
    found, notes = check_gradients(
        _subject(model),
        as_config(config),
        as_assignments(settings),
        _text(model, text),
        [oracle] if isinstance(oracle, str) else [*oracle],
        tolerance,
        seed,
        sys.maxsize if entries == "all" else entries,
        fast,
        max_memory=in_bytes(max_memory),
        announce=note,
        flags=as_layer(as_keywords(keywords, gradcheck)),
    )
    note_all(notes)
    return found


@checked
def gradflow(
    model: Subject | None = None,
    *,
    config: Config | None = None,
    settings: Settings | None = None,
    text: Text | None = None,
    lags: int = 128,
    compare: bool = False,
    truncation: bool = False,
    tolerance: float | None = None,
    seed: int = 1,
    max_memory: float | str | None = None,
    **keywords: Unpack[Network],
) -> GradientFlow:
    """Measures how gradients flow back through time.

    Args:
        model: A model, a run, a checkpoint or a run directory; or a config, for its model before
            training.
        config: A config, instead of a model.
        settings: Changes of the config.
        text: A text to measure on, as of `train`; by default the model's training text.
        lags: The longest lag, in characters.
        compare: Whether to compare tanh, sigmoid and ReLU at several scales of W.
        truncation: Whether to compare truncated gradients with the full one.
        tolerance: The largest accepted truncation error; 0.1 by default.
        seed: Random seed for the positions in the text.
        max_memory: Bytes, or a size such as "4GB"; by default half of this machine's memory.
        keywords: Settings of the config by their short names; see `Network`.

    Raises:
        UsageError: Arguments are invalid or contradict each other.
        InputError: The checkpoint or the text is unusable.
    """
    found, notes = gradient_flow(
        _subject(model),
        as_config(config),
        as_assignments(settings),
        _text(model, text),
        lags,
        compare,
        TOLERANCE if truncation and tolerance is None else tolerance,
        seed,
        max_memory=in_bytes(max_memory),
        announce=note,
        flags=as_layer(as_keywords(keywords, gradflow)),
    )
    note_all(notes)
    return found


@checked
def explain(
    topic: str | None = None,
    model: Subject | None = None,
    *,
    config: Config | None = None,
    settings: Settings | None = None,
    text: str = explaining.TEXT,
    step: int | None = None,
    layer: int | None = None,
    window: int = 4,
    stride: int = 2,
    seed: int | None = None,
    **keywords: Unpack[Network],
) -> Explanation:
    """Shows how the gradient comes about, in real numbers of a small network.

    Args:
        topic: "forward", "softmax", "output", "backward", "terms", "forward-mode", "update",
            "vanishing", "truncation" or "slips"; a tour of all by default.
        model: A model, a run, a checkpoint or a run directory; or a config, for its network before
            training. By default a network of three units.
        config: A config, instead of a model.
        settings: Changes of the config.
        text: The string that the network reads.
        step: The step to show in detail, from 1; the last by default.
        layer: The layer to show, from 1; the top one by default.
        window: Of the topic truncation, characters that BPTT goes back.
        stride: Of the topic truncation, new characters per sweep.
        seed: Random seed of initial weights; the config's by default.
        keywords: Settings of the config by their short names; see `Network`.

    Raises:
        UsageError: There is no such topic, or an argument is invalid.
        InputError: The checkpoint is unusable.
        CharrnnError: The network overflows.
    """
    found, notes = explaining.explain(
        topic, _subject(model), as_config(config), as_assignments(settings), text, step, layer,
        window, stride, seed, announce=note, flags=as_layer(as_keywords(keywords, explain)),
    )  # fmt: skip
    note_all(notes)
    return found


def _subject(model: Subject | None) -> str | LoadedModel | None:
    return None if model is None else path_or_loaded(model)


def _text(model: Subject | None, text: Text | None) -> str | String | None:
    """The text of an analysis, which is one; of a run on a string, that string."""
    if text is None:
        return model._text if isinstance(model, Run) else None
    found = text_or_paths(text)
    if isinstance(found, list):
        if len(found) > 1:
            raise UsageError("`text` is a list of several paths.", "give one, or their directory.")
        return found[0]
    return found
