"""Reading of untrusted safetensors files: bounded, and described before a tensor is read."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from charrnn.arrays import Array
from charrnn.system.machine import physical_memory
from charrnn.training.metadata import structure_size

# a vocabulary of all Unicode characters, escaped twice, takes 23 million bytes
MAX_HEADER_BYTES = 1 << 25
BYTES = {"F32": 4, "F64": 8}
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
        with _as_unusable(), ExitStack() as stack:
            file = BytesIO(source) if isinstance(source, bytes) else _opened(source)
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

    def read(self) -> dict[str, Array]:
        """Reads all tensors."""
        with _as_unusable():
            # safetensors panics when it runs out of memory: first see whether there is enough
            np.empty(2 * self._size, np.uint8)
            content = self._head + self._file.read(self._size)
            if len(content) != self._size:
                raise ValueError("it changed while it was read")
            return load(content)


@contextmanager
def _as_unusable() -> Iterator[None]:
    """Turns errors of safetensors and the operating system into Unusable."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unusable(f"it cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise Unusable("it is not a safetensors file (its header nests too deeply)") from None
    except UNREADABLE as error:
        raise Unusable(f"it is not a safetensors file ({error})") from None


def _opened(path: Path) -> BinaryIO:
    """Opens a regular file; a pipe would be waited for."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Unusable("it is not a regular file")
    return os.fdopen(file, "rb")


def _bounded_head(file: BinaryIO) -> tuple[int, bytes]:
    """The size of a file in bytes, and its header after its length, after checking both."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not size:
        raise Unusable("it is empty")
    if size > physical_memory() / 2:
        raise Unusable(f"its {size:,} bytes are more than half of this machine's memory")
    length = file.read(8)
    header = int.from_bytes(length, "little")
    if header > MAX_HEADER_BYTES:
        raise Unusable(
            f"it is not a checkpoint (its header of {header:,} bytes is longer than "
            f"{MAX_HEADER_BYTES:,})"
        )
    return size, length + file.read(header)
