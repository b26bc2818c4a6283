"""A network as files of other frameworks hold it, and the metadata that describe it there."""

import json
import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from charrnn import __version__
from charrnn.arrays import Array
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.params import Params, Shape
from charrnn.text.sequences import SEQUENCES
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import EXPORT_FORMAT
from charrnn.training.metadata import checked_count, checked_vocabulary, parsed
from charrnn.training.tensor_file import Unusable

VERSION = 1


class Network(NamedTuple):
    """A network with what is known about it.

    Attributes:
        params: Its weights.
        vocabulary: The characters of its ids; None if the file does not have them.
        activation: The name of the activation f; None if unknown, since weights do not tell.
        sequences: How it reads a text: stream, lines or documents; None if unknown.
        min_count: The `data.min_count` of its run; None if unknown.
    """

    params: Params
    vocabulary: Vocabulary | None
    activation: str | None = None
    sequences: str | None = None
    min_count: int | None = None


def described(network: Network, name: str, steps: int) -> dict[str, str]:
    """The metadata of an export: a JSON document in ASCII for each key.

    Args:
        network: The network, of which everything is known.
        name: What it is called.
        steps: Its training steps.
    """
    params, vocabulary = network.params, network.vocabulary
    values: dict[str, Any] = {
        "format": EXPORT_FORMAT,
        "version": VERSION,
        "source": f"charrnn {__version__}",
        "name": name,
        "steps": steps,
        "vocabulary": list(vocabulary.characters) if vocabulary else None,
        "activation": network.activation,
        "hidden_size": params.hidden_size,
        "layers": params.depth,
        "bias": params.c is not None,
        "sequences": network.sequences,
        "min_count": network.min_count,
    }
    return {key: json.dumps(value) for key, value in values.items()}


def network_of(params: Params, metadata: Mapping[str, str]) -> Network:
    """A network from weights and the metadata of a file, which anyone may have written.

    Of a file that charrnn did not export, only the vocabulary is taken, if there is one.

    Raises:
        ValueError: The metadata are not those of an export, or do not fit the weights.
        RecursionError: A document nests too deeply.
    """
    own = metadata.get("format") == json.dumps(EXPORT_FORMAT)
    keys = ("version", "vocabulary", "activation", "sequences", "min_count")
    values = parsed(dict(metadata), keys if own else ("vocabulary",))
    if not own:
        found = values.get("vocabulary")
        return Network(params, None if found is None else checked_vocabulary(found))
    if missing := [key for key in keys if key not in values]:
        raise ValueError(f"its metadata lack {missing[0]!r}")
    if values["version"] != VERSION:
        raise ValueError(
            f"it is an export of version {reprlib.repr(values['version'])}; this program reads "
            f"version {VERSION}"
        )
    for key, known in (("activation", ACTIVATIONS), ("sequences", SEQUENCES)):
        if not isinstance(values[key], str) or values[key] not in known:
            raise ValueError(f"its {key} is {reprlib.repr(values[key])}")
    return Network(
        params,
        checked_vocabulary(values["vocabulary"]),
        values["activation"],
        values["sequences"],
        checked_count("min_count", values["min_count"]),
    )


def require_finite(arrays: Mapping[str, Array]) -> None:
    """Raises ValueError for the first array with NaN or Infinity."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} is not finite")


def require_shapes(found: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> None:
    """Raises Unusable if a file has other arrays than wanted, or arrays of another shape."""
    if odd := sorted(found.keys() ^ wanted.keys()):
        raise Unusable(f"{'it has also' if odd[0] in found else 'it lacks'} {odd[0]!r}")
    for name, shape in wanted.items():
        if found[name] != shape:
            raise Unusable(f"{name!r} has the shape {found[name]}, not {shape}")
