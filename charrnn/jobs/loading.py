"""A trained model from its checkpoint, ready for use."""

import reprlib
from pathlib import Path
from typing import NamedTuple

from charrnn.config.layers import check_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.jobs.run_directory import find_checkpoint
from charrnn.jobs.wiring import activation_of, optimizer_of, text_paths
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.text.lines import NEWLINE
from charrnn.text.reading import STDIN, read_text
from charrnn.text.sequences import SEQUENCES
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import Checkpoint, load
from charrnn.window import Array


class Model(NamedTuple):
    """What a checkpoint says about predicting text; `path` is the file that was read."""

    path: str
    params: Params
    vocabulary: Vocabulary
    activation: Activation
    config: Config


def load_model(path: str) -> Model:
    """The model of a checkpoint file or of a run directory, its best.

    Raises: InputError.
    """
    file = find_checkpoint(path)
    checkpoint, config = load_checkpoint(file)
    activation = activation_of(config)
    return Model(str(file), checkpoint.params, checkpoint.vocabulary, activation, config)


def load_checkpoint(file: Path) -> tuple[Checkpoint, Config]:
    """A checkpoint and the config in it, both verified and of one run.

    Raises: InputError.
    """
    checkpoint = load(file)
    try:
        config = check_config(checkpoint.config)
    except UsageError as error:
        raise InputError(
            f"{file} holds no config of this program: {error}", "use the release that wrote it."
        ) from None
    if problem := _misfit(checkpoint, config):
        raise InputError(
            f"{file} does not fit its own config: {problem}.",
            "it was not written by charrnn train; start a new run.",
        )
    return checkpoint, config


def _misfit(checkpoint: Checkpoint, config: Config) -> str | None:
    """What of a checkpoint does not belong to its own config."""
    state, training = checkpoint.state, config.training
    slots, wanted = sorted(state.optimizer.slots), sorted(optimizer_of(config).slot_names)
    if slots != wanted:
        return f"its optimizer has {reprlib.repr(slots)}, {config.optimizer.name} needs {wanted}"
    if len(state.h) != training.batch_size:
        return f"it has {len(state.h)} lanes, its config {training.batch_size}"
    if state.h.dtype != training.precision:
        return f"it is in {state.h.dtype}, its config in {training.precision}"
    if config.data.sequences == "lines" and NEWLINE not in checkpoint.vocabulary.characters:
        return "it writes lines and knows no newline"
    return None


def own_text(file: str | Path, config: Config) -> list[str]:
    """The files that a checkpoint says it was trained on, for who wants to read them.

    Raises: InputError for a pipe or a device, which whoever wrote the checkpoint may have chosen
    so that reading it never ends.
    """
    paths = text_paths(config)
    for path in paths:
        if path != STDIN and Path(path).exists() and not Path(path).is_file():
            raise InputError(
                f"{file} names {path!r} as its text, which is no regular file.",
                "name the text yourself.",
            )
    return paths


class Encoded(NamedTuple):
    """A text to predict: its ids (N,), the text that they stand for, and remarks on it."""

    ids: Array
    text: Text
    remarks: tuple[str, ...]


def encode_text(model: Model, paths: list[str], unknown: str = "error") -> Encoded:
    """A text in the model's alphabet, arranged as those that the model was trained on.

    unknown: "skip" leaves out characters that the model lacks, with a remark.
    Raises: InputError where it is unusable, too short or has characters that the model lacks.
    """
    documents, remarks = read_text(paths)
    sequences = model.config.data.sequences
    text, vocabulary = SEQUENCES[sequences].joined(documents), model.vocabulary
    if unknown == "skip":
        known = vocabulary.known(text)
        if not len(known):
            raise InputError(
                "the model knows no character of the text.", "give text in its alphabet."
            )
        if len(known) < len(text):
            left_out = f"{len(text) - len(known):,} unknown characters were left out."
            remarks = (*remarks, left_out)
        text = known
    text, _ = SEQUENCES[sequences].arranged(text, 0.0)
    require_two(text)
    place = "the text" if sequences == "stream" else "the lines that are not blank"
    try:
        return Encoded(vocabulary.encode(text, place), text, remarks)
    except UsageError as error:
        raise InputError(
            str(error),
            "give text in the model's alphabet; "
            "charrnn eval leaves such characters out with --unknown skip.",
        ) from None


def require_two(text: Text) -> None:
    """Raises InputError for a text in which nothing can be predicted."""
    if len(text) < 2:
        raise InputError("the text has a single character.", "two are needed to predict one.")
