"""A trained model from its checkpoint, ready for use."""

from pathlib import Path
from typing import NamedTuple

from charrnn.config.layers import check_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.jobs.run_directory import find_checkpoint
from charrnn.jobs.wiring import activation_of
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.text.reading import read_text
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
    """A checkpoint and the config in it, both verified.

    Raises: InputError.
    """
    checkpoint = load(file)
    try:
        return checkpoint, check_config(checkpoint.config)
    except UsageError as error:
        raise InputError(
            f"{file} holds no config of this program: {error}", "use the release that wrote it."
        ) from None


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
    sequences, vocabulary = SEQUENCES[model.config.data.sequences], model.vocabulary
    if unknown == "skip":
        all_characters = sum(map(len, documents))
        documents = [known for text in documents if (known := vocabulary.known(text))]
        left_out = all_characters - sum(map(len, documents))
        if not documents:
            raise InputError(
                "the model knows no character of the text.", "give text in its alphabet."
            )
        if left_out:
            remarks = (*remarks, f"{left_out:,} unknown characters were left out.")
    text, _ = sequences.arranged(sequences.joined(documents), 0.0)
    require_two(text)
    try:
        return Encoded(vocabulary.encode(text, sequences.place), text, remarks)
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
