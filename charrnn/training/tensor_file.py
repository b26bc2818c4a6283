"""Reading of untrusted safetensors files: bounded, and described before a tensor is read."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, deserialize

from charrnn.arrays import Array
from charrnn.system.files import open_regular
from charrnn.system.machine import physical_memory
from charrnn.training.metadata import structure_size

# a vocabulary of all Unicode characters, escaped twice, takes 23 million bytes
MAX_HEADER_BYTES = 1 << 25
BYTES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}
MAX_TENSORS, BYTES_PER_TENSOR = 1000, 200  # of its description, without names
UNREADABLE = (
    SafetensorError, TypeError, ValueError, KeyError, AttributeError, OverflowError,
)  # fmt: skip


class Unusable(Exception):
    """Why a file cannot be used; the message is a clause such as "it is empty"."""


class TensorFile:
    """A safetensors file, of which no tensor is read yet; used as a context.

    It is read, not mapped: a file that another program shortens while it is mapped would end this
    one by a signal. It is opened once: a checkpoint that is replaced meanwhile stays whole.

    Args:
        source: The file, or its content.

    Attributes:
        metadata: Its metadata.
        names: The names of its tensors.

    Raises:
        Unusable: The file is not a safetensors file within the bounds; also in every method.
        FileNotFoundError: There is no file.
        MemoryError: Memory is exhausted.
    """

    def __init__(self, source: Path | bytes) -> None:
        with as_unreadable(), ExitStack() as stack:
            file = BytesIO(source) if isinstance(source, bytes) else open_regular(source)
            self._file = stack.enter_context(file)
            self._size, self._head = _bounded_head(self._file)
            if structure_size(self._head.decode("latin-1")) > MAX_TENSORS * BYTES_PER_TENSOR:
                raise Unusable(f"it describes more than {MAX_TENSORS:,} tensors")
            header = json.loads(self._head[8:])
            self.metadata: dict[str, str] = dict(header.pop("__metadata__", None) or {})
            if not all(isinstance(value, str) for value in self.metadata.values()):
                raise ValueError("its metadata are not strings")
            self._described = {
                name: (str(one["dtype"]), tuple(map(int, one["shape"])))
                for name, one in header.items()
            }
            self.names = set(self._described)
            if len(self.names) > MAX_TENSORS:
                raise Unusable(f"it has {len(self.names):,} tensors")
            stack.pop_all()  # stays open

    def __enter__(self) -> "TensorFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def describe(self, name: str) -> tuple[str, tuple[int, ...]]:
        """Type, as safetensors names it, and shape of a tensor."""
        return self._described[name]

    @property
    def is_cut_off(self) -> bool:
        """Whether the file is shorter than its tensors."""
        wanted = sum(BYTES.get(dtype, 0) * prod(shape) for dtype, shape in self._described.values())
        return self._size < len(self._head) + wanted

    def read(self, names: Collection[str] | None = None) -> dict[str, Array]:
        """Reads tensors by name, by default all; BF16, which NumPy lacks, as float32."""
        with as_unreadable():
            # safetensors panics when it runs out of memory: first see whether there is enough
            np.empty(2 * self._size, np.uint8)
            content = self._head + self._file.read(self._size)
            if len(content) != self._size:
                raise ValueError("it changed while it was read")
            return {
                name: _array(tensor)
                for name, tensor in deserialize(content)  # type: ignore[no-untyped-call]
                if names is None or name in names
            }


def _array(tensor: Mapping[str, Any]) -> Array:
    dtype, data = tensor["dtype"], tensor["data"]
    if dtype == "BF16":  # the upper half of a float32
        flat = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    else:
        flat = np.frombuffer(data, f"<f{BYTES[dtype]}")
    return flat.reshape(tensor["shape"])


@contextmanager
def as_unreadable(what: str = "a safetensors file") -> Iterator[None]:
    """Turns errors of the operating system, and of reading another kind of file, into Unusable."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unusable(f"it cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise Unusable(f"it is not {what} (its header nests too deeply)") from None
    except UNREADABLE as error:
        raise Unusable(f"it is not {what} ({error})") from None


def bounded_size(file: BinaryIO) -> int:
    """The size of a file in bytes. Raises: Unusable if it is empty or too large to be read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not size:
        raise Unusable("it is empty")
    if size > physical_memory() / 2:
        raise Unusable(f"its {size:,} bytes are more than half of this machine's memory")
    return size


def _bounded_head(file: BinaryIO) -> tuple[int, bytes]:
    """The size of a file in bytes, and its header after its length, after checking both."""
    size = bounded_size(file)
    length = file.read(8)
    header = int.from_bytes(length, "little")
    if header > MAX_HEADER_BYTES:
        raise Unusable(
            f"it is not a checkpoint (its header of {header:,} bytes is longer than "
            f"{MAX_HEADER_BYTES:,})"
        )
    return size, length + file.read(header)
