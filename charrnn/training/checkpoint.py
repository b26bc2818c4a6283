"""One file that holds a model and everything that its training needs to go on."""

import hashlib
import json
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from charrnn.errors import CharrnnError, InputError
from charrnn.model.params import Params, shapes
from charrnn.optim.optimizers import OptimizerState
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.state import Progress, TrainState
from charrnn.window import Array

FORMAT = "charrnn"
VERSION = 2
MODEL, OPTIMIZER, HIDDEN = "model.", "optimizer.", "state.h"


@dataclass(frozen=True)
class Checkpoint:
    """A run at one moment. `config` is the resolved config as plain values.

    text_digest: SHA-256 of the whole text that the run trains on.
    """

    state: TrainState
    vocabulary: Vocabulary
    config: dict[str, Any]
    text_digest: str

    @property
    def params(self) -> Params:
        """The model's weights."""
        return self.state.params


def encode(checkpoint: Checkpoint) -> bytes:
    """The file's content, in the format of docs/checkpoint-format.md."""
    state = checkpoint.state
    tensors = {MODEL + name: array for name, array in state.params.named()}
    for slot, values in state.optimizer.slots.items():
        tensors |= {f"{OPTIMIZER}{slot}.{name}": array for name, array in values.named()}
    tensors[HIDDEN] = state.h
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    described = {
        "format": FORMAT,
        "version": VERSION,
        "vocabulary": list(checkpoint.vocabulary.characters),
        "config": checkpoint.config,
        "progress": asdict(state.progress),
        "optimizer_count": state.optimizer.count,
        "text_digest": checkpoint.text_digest,
    }
    metadata = {key: json.dumps(value) for key, value in described.items()}
    metadata["digest"] = json.dumps(_digest(tensors, metadata))
    return save(tensors, metadata)


def load(path: Path) -> Checkpoint:
    """The checkpoint in a file, verified.

    Raises: InputError where the file is missing, is none of ours, or is damaged.
    """
    tensors, metadata = _read(path)
    try:
        described = {key: json.loads(value) for key, value in metadata.items()}
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"its metadata is no JSON ({error})") from None
    if described.get("format") != FORMAT:
        raise _unusable(path, "it is a safetensors file, but not one that charrnn wrote")
    if described.get("version") != VERSION:
        raise InputError(
            f"{path} is a checkpoint of version {described.get('version')!r}; "
            f"this program reads version {VERSION}.",
            "use the release of charrnn that wrote it.",
        )
    if described.pop("digest", None) != _digest(tensors, metadata):
        raise _unusable(path, "it is damaged: its digest does not fit its content")
    try:
        return _assemble(tensors, described)
    except (KeyError, TypeError, ValueError, AttributeError, CharrnnError) as error:
        raise _unusable(path, f"its content does not fit together ({error!r})") from None


def _read(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unusable(path, "it is no regular file")
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(
            f"there is no checkpoint {str(path)!r}.", "give a .safetensors file or a run directory."
        ) from None
    except (SafetensorError, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise _unusable(path, f"it is no safetensors file ({error})") from None


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} cannot be used as a checkpoint: {why}.",
        "give a file from the checkpoints folder of a run, or the run directory.",
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


def _assemble(tensors: dict[str, Array], described: dict[str, Any]) -> Checkpoint:
    vocabulary = Vocabulary("".join(described["vocabulary"]))
    model = described["config"]["model"]
    expected = shapes(model["hidden_size"], len(vocabulary), model["bias"])

    def parameters(prefix: str) -> Params:
        found = {name: tensors.pop(prefix + name) for name in expected}
        for name, array in found.items():
            if array.shape != expected[name] or array.dtype.kind != "f":
                raise ValueError(f"{prefix}{name}: {array.dtype} {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{prefix}{name} is not finite")
        return Params(**found)

    params, h = parameters(MODEL), tensors.pop(HIDDEN)
    if h.ndim != 2 or h.shape[1] != params.hidden_size or h.dtype != params.W.dtype:
        raise ValueError(f"{HIDDEN}: {h.dtype} {h.shape}")
    slots = sorted({name.split(".")[1] for name in tensors})
    optimizer = OptimizerState(
        int(described["optimizer_count"]),
        {slot: parameters(f"{OPTIMIZER}{slot}.") for slot in slots},
    )
    if tensors:
        raise ValueError(f"unexpected tensors {', '.join(sorted(tensors))}")
    state = TrainState(params, optimizer, h, _progress(described["progress"]))
    return Checkpoint(state, vocabulary, described["config"], str(described["text_digest"]))


def _progress(values: dict[str, Any]) -> Progress:
    types = get_type_hints(Progress)
    if values.keys() != types.keys():
        raise ValueError(f"progress has the fields {', '.join(sorted(values))}")
    for name, value in values.items():
        right = isinstance(value, types[name]) and not isinstance(value, bool)
        if not right or (value is not None and not 0 <= value < float("inf")):
            raise ValueError(f"progress.{name} = {value!r}")
    return Progress(**values)
