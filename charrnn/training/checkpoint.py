"""Checkpoints: one file with a model and everything needed to resume its training."""

import hashlib
import json
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from safetensors.numpy import save

from charrnn.arrays import Array
from charrnn.errors import CharrnnError, InputError
from charrnn.model.params import Params, Shape, shapes
from charrnn.optim.optimizer import AVERAGE, OptimizerState
from charrnn.text.text import TextMark
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.metadata import (
    COUNT_LIMIT,
    SECONDS_LIMIT,
    checked_count,
    checked_digest,
    checked_marks,
    checked_vocabulary,
    parsed,
)
from charrnn.training.state import Progress, TrainState
from charrnn.training.tensor_file import MAX_TENSORS, TensorFile, Unusable
from charrnn.wording import call

FORMAT, EXPORT_FORMAT = "charrnn", "charrnn-export"
VERSION, OLDEST_VERSION = 4, 2
DURATIONS = {"seconds", "step_seconds", "evaluated", "evaluation_seconds"}
MODEL, OPTIMIZER, HIDDEN, START = "model.", "optimizer.", "state.h", "state.start"
TRAINED = "trained"  # what the weights are stored as where the model is their average
FLOATS = ("F32", "F64")
KEYS = (
    "format", "version", "vocabulary", "config", "progress", "optimizer_count", "text_size",
    "text_digest", "held_out", "digest",
)  # fmt: skip


@dataclass(frozen=True)
class Checkpoint:
    """A snapshot of a run.

    Attributes:
        state: Weights, optimizer, hidden states and progress.
        vocabulary: The characters that the model knows.
        config: The resolved config as plain values.
        text_size: Number of characters of the text that the run trains on.
        text_digest: SHA-256 of that text.
        start: The state (L·H,) in which a generated text begins; None for the zero state.
        held_out: What identifies the texts of `data.validation` and `data.test`, by "validation"
            and "test", where given.
    """

    state: TrainState
    vocabulary: Vocabulary
    config: dict[str, Any]
    text_size: int
    text_digest: str
    start: Array | None = None
    held_out: Mapping[str, TextMark] = field(default_factory=dict)

    @property
    def mark(self) -> TextMark:
        """What identifies the text that the run trains on."""
        return TextMark(self.text_size, self.text_digest)

    @property
    def params(self) -> Params:
        """The model's weights."""
        return self.state.model


def encode(checkpoint: Checkpoint) -> bytes:
    """Encodes a checkpoint in the format of docs/checkpoint-format.md."""
    state = checkpoint.state
    tensors = {MODEL + name: array for name, array in state.model.named()}
    slots = dict(state.optimizer.slots)
    if slots.pop(AVERAGE, None):
        slots[TRAINED] = state.params
    for slot, values in slots.items():
        tensors |= {f"{OPTIMIZER}{slot}.{name}": array for name, array in values.named()}
    tensors[HIDDEN] = state.h
    if checkpoint.start is not None:
        tensors[START] = checkpoint.start
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    described = {
        "format": FORMAT,
        "version": VERSION,
        "vocabulary": list(checkpoint.vocabulary.characters),
        "config": checkpoint.config,
        "progress": asdict(state.progress),
        "optimizer_count": state.optimizer.count,
        "text_size": checkpoint.text_size,
        "text_digest": checkpoint.text_digest,
        "held_out": {name: mark._asdict() for name, mark in checkpoint.held_out.items()},
    }
    metadata = {key: json.dumps(value) for key, value in described.items()}
    metadata["digest"] = json.dumps(_digest(tensors, metadata))
    return save(tensors, metadata)


def load(path: Path, content: bytes | None = None) -> Checkpoint:
    """Loads and verifies a checkpoint, which anyone may have written.

    Args:
        path: The file.
        content: Its content, if that is in memory; then the path only names it.

    Returns:
        The checkpoint, all parts of which are consistent.

    Raises:
        InputError: The file is missing, is not a checkpoint, or is damaged.
    """
    with reported(path):
        with TensorFile(path if content is None else content) as file:
            described = described_by(path, file.metadata)
            with as_unusable():
                vocabulary = checked_vocabulary(described["vocabulary"])
                expected = _model_shapes(described["config"], vocabulary)
                _check_layout(file, expected)
            tensors = file.read()
        if described.get("digest") != _digest(tensors, file.metadata):
            raise Unusable("it is damaged: its digest does not match its content")
        with as_unusable():
            return _assemble(tensors, described, vocabulary, expected)


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turns the errors of reading a checkpoint into InputError."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(
            f"there is no checkpoint {str(path)!r}.", "give a .safetensors file or a run directory."
        ) from None
    except MemoryError:
        raise _unusable(path, "there is not enough memory for it") from None
    except Unusable as error:
        raise _unusable(path, str(error)) from None


def described_by(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    """The metadata as values, after checking format and version."""
    try:
        described = parsed(metadata, KEYS)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"its metadata is not JSON ({error})") from None
    if described.get("format") == EXPORT_FORMAT:
        raise InputError(
            f"{path} is an export, which has the weights of a model and not its run.",
            f"start a run from them: {call('train', 'TEXT', init_from=str(path))}; or give the "
            "checkpoint that it was exported from.",
        )
    if described.get("format") != FORMAT:
        raise Unusable("it is a safetensors file, but not one that charrnn wrote")
    version = described.get("version")
    if type(version) is not int or not OLDEST_VERSION <= version <= VERSION:
        raise InputError(
            f"{path} is a checkpoint of version {reprlib.repr(version)}; "
            f"this program reads versions {OLDEST_VERSION} to {VERSION}.",
            "use the release of charrnn that wrote it.",
        )
    if version == 2:
        with as_unusable():
            _upgrade(described["config"]["model"])
    return described


def _upgrade(model: dict[str, Any]) -> None:
    """Adds the settings that came with version 3 to those of version 2."""
    for key, value in {"layers": 1, "dropout": 0.0}.items():
        if key in model:
            raise ValueError(f"model.{key} is in a file of version 2, which has no such setting")
        model[key] = value


@contextmanager
def as_unusable() -> Iterator[None]:
    """Turns the errors that unexpected content causes into Unusable."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, CharrnnError) as error:
        what: object = "a value has the wrong type"
        if isinstance(error, KeyError):
            what = f"{error} is missing"
        elif isinstance(error, ValueError | CharrnnError):
            what = error
        raise Unusable(f"its content is inconsistent ({what})") from None


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} cannot be used as a checkpoint: {why}.",
        f"give a checkpoint of a run; {call('inspect', 'RUN')} shows which of them are intact.",
    )


def _digest(tensors: dict[str, Array], metadata: dict[str, str]) -> str:
    """SHA-256 over all tensors and all metadata but the digest, in the order of their names."""
    content = hashlib.sha256()
    for key in sorted(metadata.keys() - {"digest"}):
        content.update(f"{key}={metadata[key]}\n".encode())
    for name in sorted(tensors):
        array = tensors[name]
        content.update(f"{name} {array.dtype} {array.shape}\n".encode())
        content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def _model_shapes(config: dict[str, Any], vocabulary: Vocabulary) -> Mapping[str, Shape]:
    """Shapes of the parameters, from config and vocabulary."""
    hidden_size, layers, bias = (config["model"][key] for key in ("hidden_size", "layers", "bias"))
    for name, value, wanted in (
        ("hidden_size", hidden_size, type(hidden_size) is int and hidden_size >= 1),
        ("layers", layers, type(layers) is int and 1 <= layers <= MAX_TENSORS),
        ("bias", bias, type(bias) is bool),
    ):
        if not wanted:
            raise ValueError(f"model.{name} is {reprlib.repr(value)}")
    return shapes(hidden_size, len(vocabulary), bias, layers)


def _slots(names: Iterable[str]) -> list[str]:
    """Names of the optimizer's slots among the names of tensors."""
    return sorted({name.split(".")[1] for name in names if name.startswith(OPTIMIZER)})


def _check_layout(file: TensorFile, expected: Mapping[str, Shape]) -> None:
    """Raises ValueError if names, shapes or types of tensors are not those of one training run."""
    prefixes = [MODEL, *(f"{OPTIMIZER}{slot}." for slot in _slots(file.names))]
    wanted = {prefix + name: shape for prefix in prefixes for name, shape in expected.items()}
    if odd := (file.names - {START}) ^ {HIDDEN, *wanted}:
        raise ValueError(f"{'unexpected' if min(odd) in file.names else 'missing'}: {min(odd)!r}")
    dtype, (lanes, *_) = file.describe(HIDDEN)
    state_size = sum(shape[0] for name, shape in expected.items() if name[0] == "W")
    wanted[HIDDEN] = (lanes, state_size)
    if START in file.names:
        wanted[START] = (state_size,)
    for name, shape in wanted.items():
        found = file.describe(name)
        if dtype not in FLOATS or not lanes or found != (dtype, shape):
            raise ValueError(f"{name} is {found}")


def _assemble(
    tensors: dict[str, Array],
    described: dict[str, Any],
    vocabulary: Vocabulary,
    expected: Iterable[str],
) -> Checkpoint:
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} is not finite")

    def parameters(prefix: str) -> Params:
        return Params.of(**{name: tensors.pop(prefix + name) for name in expected})

    start = tensors.pop(START, None)
    optimizer = OptimizerState(
        checked_count("optimizer_count", described["optimizer_count"]),
        {slot: parameters(f"{OPTIMIZER}{slot}.") for slot in _slots(tensors)},
    )
    params = parameters(MODEL)
    if trained := optimizer.slots.pop(TRAINED, None):
        optimizer.slots[AVERAGE], params = params, trained
    state = TrainState(
        params, optimizer, tensors.pop(HIDDEN), checked_progress(described["progress"])
    )
    size = checked_count("text_size", described["text_size"])
    digest = checked_digest(described["text_digest"])
    held_out = checked_marks(described.get("held_out", {}))
    return Checkpoint(state, vocabulary, described["config"], size, digest, start, held_out)


def checked_progress(values: dict[str, Any]) -> Progress:
    """Makes the progress of a run from plain values. Raises: ValueError."""
    types = get_type_hints(Progress)
    if values.keys() != types.keys():
        raise ValueError(f"progress has the fields {reprlib.repr(sorted(values))}")
    for name, value in values.items():
        right = isinstance(value, types[name]) and not isinstance(value, bool)
        bound = float("inf") if isinstance(value, float) else COUNT_LIMIT
        if name in DURATIONS:
            bound = SECONDS_LIMIT
        if not right or (value is not None and not 0 <= value < bound):
            raise ValueError(f"progress.{name} = {reprlib.repr(value)}")
    return Progress(**values)
