"""Loading a trained model from its checkpoint, and text in its alphabet."""

import logging
import os
import reprlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from charrnn.arrays import Array
from charrnn.config.layers import check_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.setup.named_texts import located
from charrnn.setup.own_text import AnotherText, read_own, require_own
from charrnn.setup.paths import find_checkpoint, require_texts
from charrnn.setup.run_files import RunFiles
from charrnn.setup.wiring import (
    activation_of,
    decoding_of,
    optimizer_of,
    selection_of,
    sequences_of,
)
from charrnn.text.reading import misread_utf8, read_text
from charrnn.text.sources import String
from charrnn.text.text import REPLACEMENT, Text, TextMark
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import Checkpoint, load
from charrnn.wording import call, pluralize, word

LOG = logging.getLogger(__name__)


class Model(NamedTuple):
    """A trained model.

    Attributes:
        path: The checkpoint file that it was read from.
        params: Its weights.
        vocabulary: The characters that it knows.
        activation: The activation f.
        config: The config of its run.
        mark: What identifies the text that it was trained on.
        steps: Its training steps.
        notes: What the user should know about the choice of the checkpoint.
        start: The state (L·H,) in which a generated text begins; None for the zero state.
        held_out: What identifies its validation and test texts, by name, if it had any.
        best_validation_nats: The best loss of its run on the held-out text; None if unknown.
    """

    path: str
    params: Params
    vocabulary: Vocabulary
    activation: Activation
    config: Config
    mark: TextMark
    steps: int
    notes: tuple[str, ...] = ()
    start: Array | None = None
    held_out: Mapping[str, TextMark] = {}
    best_validation_nats: float | None = None


def load_model(path: str | Model, command: tuple[str, ...] = ()) -> Model:
    """Loads the model of a checkpoint file, or the best one of a run directory.

    Args:
        path: The file or directory; or a model, which is returned.
        command: The command and what follows the path, to suggest with a sound checkpoint.

    Raises:
        InputError: There is no checkpoint, or it is unusable.
    """
    if isinstance(path, Model):
        return path
    file = find_checkpoint(path)
    run = RunFiles(Path(path)) if os.path.isdir(path) else None
    try:
        checkpoint, config = load_checkpoint(file)
    except InputError as error:
        sound = _newest_sound(run) if run else None
        hint = error.hint
        if sound:
            use = f"give it instead of {word(path)}"
            if command:
                use = call(command[0], str(sound), *command[1:])
            hint = f"{sound.name} is sound: {use}"
        raise InputError(str(error), hint) from None
    notes: tuple[str, ...] = ()
    if run and file != run.checkpoint("best"):
        notes = (f"{path} has no best checkpoint: {file.name} is used.",)
    return model_of(checkpoint, config, str(file), notes)


def model_of(
    checkpoint: Checkpoint, config: Config, path: str, notes: tuple[str, ...] = ()
) -> Model:
    """The model of a checkpoint and the config in it."""
    params, vocabulary = checkpoint.params, checkpoint.vocabulary
    mark, progress, start = checkpoint.mark, checkpoint.state.progress, checkpoint.start
    return Model(
        path, params, vocabulary, activation_of(config), config, mark, progress.step, notes, start,
        checkpoint.held_out, progress.best_validation_nats,
    )  # fmt: skip


def _newest_sound(run: RunFiles) -> Path | None:
    """The newest checkpoint of a run that can be used."""
    for file in run.candidates():
        with suppress(InputError):
            load_checkpoint(file)
            return file
    return None


def load_checkpoint(file: Path, content: bytes | None = None) -> tuple[Checkpoint, Config]:
    """Loads a checkpoint and the config in it, and verifies that they belong together.

    Args:
        file: The file.
        content: Its content, if that is in memory; then the path only names it.

    Raises:
        InputError: The checkpoint is unusable.
    """
    checkpoint = load(file, content)
    try:
        config = check_config(checkpoint.config)
    except UsageError as error:
        raise InputError(
            f"{file} has no config that this program can read: {error}",
            "use the release of charrnn that wrote it.",
        ) from None
    if problem := _misfit(checkpoint, config):
        raise InputError(
            f"{file} does not match its own config: {problem}.",
            "it was not written by charrnn; start a new run.",
        )
    weights = pluralize(checkpoint.params.size, "weight")
    LOG.info(f"read {file}: {weights} after {checkpoint.state.progress.step:,} steps")
    return checkpoint, config


def _misfit(checkpoint: Checkpoint, config: Config) -> str | None:
    """How a checkpoint contradicts its own config; None if it does not."""
    state, training = checkpoint.state, config.training
    slots, wanted = sorted(state.optimizer.slots), sorted(optimizer_of(config).state_names)
    if slots != wanted:
        return f"its optimizer has {reprlib.repr(slots)}, {config.optimizer.name} needs {wanted}"
    if len(state.h) != training.batch_size:
        return f"it has {len(state.h)} lanes, its config {training.batch_size}"
    if state.h.dtype != training.precision:
        return f"it is in {state.h.dtype}, its config in {training.precision}"
    end = sequences_of(config).delimiter
    if end and end not in checkpoint.vocabulary.characters:
        return f"its config says {config.data.sequences}, but its vocabulary lacks {end!r}"
    return None


class Encoded(NamedTuple):
    """A text to predict: its ids (N,), the text that they stand for, and notes on it."""

    ids: Array
    text: Text
    notes: tuple[str, ...]


def unknown_policy(model: Model, unknown: str | None) -> str:
    """What to do with characters that the model does not know: "error", "skip" or "replace".

    Args:
        model: The model.
        unknown: What the user asked for; None for "replace" if the model was trained with rare
            characters as U+FFFD, and "error" otherwise.

    Raises:
        UsageError: "replace" is asked for, but the model does not know U+FFFD.
    """
    if unknown == "replace" and REPLACEMENT not in model.vocabulary.characters:
        raise UsageError(
            f"`unknown=replace`: {model.path} does not know U+FFFD.",
            "choose error or skip; a model learns U+FFFD if data.min_count finds rare "
            "characters in its text.",
        )
    return unknown or usual_policy(model.vocabulary, model.config)


def usual_policy(vocabulary: Vocabulary, config: Config) -> str:
    """What to do with unknown characters unless the user asks for something else."""
    rare = REPLACEMENT in vocabulary.characters and config.data.min_count > 1
    return "replace" if rare else "error"


def encode_text(
    model: Model, paths: list[str] | String, unknown: str | None = None, *, own: bool = False
) -> Encoded:
    """Reads a text as the model's own was read, and encodes it.

    Args:
        model: The model.
        paths: The text.
        unknown: What to do with unknown characters; see `unknown_policy`.
        own: Whether this has to be the text that the model was trained on, of which the checkpoint
            may have named any file: no more is read than that text has.

    Raises:
        InputError: The text is unusable, too short, has unknown characters or is not the own one.
        UsageError: A path is not a text.
    """
    unknown = unknown_policy(model, unknown)
    require_texts(paths)
    paths = located(paths)
    decoding, whose = decoding_of(model.config), f"the text that {model.path} was trained on"
    try:
        documents, notes = (
            read_own(paths, model.config, model.mark, whose)
            if own
            else read_text(paths, decoding, selection_of(model.config))
        )
    except InputError as error:
        if decoding.is_utf8 or isinstance(paths, String) or isinstance(error, AnotherText):
            raise
        raise InputError(f"{error} {_why(model)}", error.hint) from None
    sequences, vocabulary = sequences_of(model.config), model.vocabulary
    if own:
        require_own(paths, sequences.join(documents).mark(), model.mark, whose)
    documents, more = vocabulary.handle_unknown(documents, unknown)
    if not documents:
        raise InputError("the model knows no character of the text.", "give text in its alphabet.")
    text, _ = sequences.split(sequences.join(documents), 0.0)
    require_predictable(text)
    try:
        ids = vocabulary.encode(text, sequences.text_label)
        return Encoded(ids, text, model.notes + notes + more)
    except UsageError as error:
        if misread_utf8(paths, decoding):
            raise InputError(
                f"{error} {_why(model)}", "it is valid UTF-8: `data.encoding=utf-8`"
            ) from None
        raise InputError(
            str(error),
            "give text in the model's alphabet; "
            f"{call('eval', unknown='skip')} leaves such characters out.",
        ) from None


def _why(model: Model) -> str:
    encoding = model.config.data.encoding
    return f"It was read as {encoding}, as the text that {model.path} was trained on."


def require_predictable(text: Text, label: str = "the text") -> None:
    """Raises InputError for a text with nothing to predict."""
    if len(text) < 2:
        raise InputError(f"{label} has a single character.", "give at least two.")
