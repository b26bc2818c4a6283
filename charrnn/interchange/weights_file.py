"""Weights in a safetensors file, in the names of PyTorch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from charrnn.interchange.network import Network, network_of, require_finite
from charrnn.interchange.pytorch_names import find_names, named_as_in_pytorch
from charrnn.model.params import Params
from charrnn.training.tensor_file import TensorFile, Unusable

FLOATS = ("F16", "BF16", "F32", "F64")


def encode(params: Params, metadata: Mapping[str, str]) -> bytes:
    """A safetensors file with the parameters in the names of PyTorch."""
    named = named_as_in_pytorch(params)
    tensors = {name: np.ascontiguousarray(array) for name, array in named.items()}
    return save(tensors, dict(metadata))


def read(path: Path) -> Network:
    """Reads a network from such a file, which anyone may have written.

    Float16 and bfloat16 become float32, which holds each of their numbers exactly.

    Raises:
        Unusable, ValueError, RecursionError: It has no network, or more than one.
        FileNotFoundError, MemoryError: It is missing, or too large.
    """
    with TensorFile(path) as file:
        described = {name: file.describe(name) for name in file.names}
        names = find_names({name: shape for name, (_, shape) in described.items()})
        for name, (dtype, _) in described.items():
            if dtype not in FLOATS:
                raise Unusable(f"{name!r} has the type {dtype}, not one of {', '.join(FLOATS)}")
        tensors = file.read()
    require_finite(tensors)
    dtype = "f8" if any(dtype == "F64" for dtype, _ in described.values()) else "f4"
    params = names.params({name: array.astype(dtype) for name, array in tensors.items()})
    require_finite({"the sum of two biases": params.flat})
    return network_of(params, file.metadata)
