"""Weights in an .npz file, in the names of the equations."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from charrnn.arrays import Array
from charrnn.interchange.network import Network, network_of, require_finite, require_shapes
from charrnn.model.params import Params, shapes
from charrnn.system.files import open_regular
from charrnn.training.tensor_file import MAX_TENSORS, Unusable, as_unreadable, bounded_size

SUFFIX = ".npz"
DAMAGED = (BadZipFile, EOFError, NotImplementedError, RuntimeError, SyntaxError)


def encode(params: Params, metadata: Mapping[str, str]) -> bytes:
    """An .npz file with U, W and b of each layer, V, c, and each of the metadata as a string."""
    file = io.BytesIO()
    strings = {key: np.array(value) for key, value in metadata.items()}
    arrays: dict[str, Any] = {**dict(params.named()), **strings}
    np.savez(file, **arrays)
    return file.getvalue()


def read(path: Path) -> Network:
    """Reads a network from such a file, which anyone may have written.

    Raises:
        Unusable, ValueError, RecursionError: It has no network.
        FileNotFoundError, MemoryError: It is missing, or too large.
    """
    arrays = _arrays(path)
    strings = {name: str(array) for name, array in arrays.items() if array.dtype.kind == "U"}
    weights = {name: array for name, array in arrays.items() if name not in strings}
    V = weights.get("V", np.empty(0))
    depth = max(sum(name.startswith("W") for name in weights), 1)
    if V.ndim != 2 or 0 in V.shape:
        raise Unusable("it has no matrix 'V'")
    A, H = V.shape
    wanted = shapes(H, A, "c" in weights, depth)
    require_shapes({name: array.shape for name, array in weights.items()}, wanted)
    for name, array in weights.items():
        if array.dtype.kind != "f" or array.dtype.itemsize > 8:
            raise Unusable(f"{name!r} has the type {array.dtype}, not one of float16 to float64")
    require_finite(weights)
    dtype = np.result_type(np.float32, *weights.values())
    ordered = {name: weights[name].astype(dtype) for name in wanted}
    return network_of(Params.of(**ordered), strings)


def _arrays(path: Path) -> dict[str, Array]:
    """The arrays of an .npz file that is not compressed, so that they are no larger than it is."""
    try:
        with as_unreadable("an .npz file"), open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers that Python 2 wrote
            size = bounded_size(file)
            with ZipFile(file) as archive:
                entries = archive.infolist()
            if len(entries) > MAX_TENSORS:
                raise Unusable(f"it has {len(entries):,} arrays")
            if any(entry.compress_type != ZIP_STORED for entry in entries):
                raise Unusable("it is compressed; save it with numpy.savez")
            if sum(entry.file_size for entry in entries) > size:
                raise Unusable("it is damaged: its arrays overlap")
            file.seek(0)
            with np.load(file, allow_pickle=False) as loaded:
                return {name: np.asarray(loaded[name]) for name in loaded.files}
    except DAMAGED as error:
        raise Unusable(f"it is not an .npz file ({error})") from None
