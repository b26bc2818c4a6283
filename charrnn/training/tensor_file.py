"""Reading of untrusted safetensors files: bounded, and described before a tensor is read."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError, safe_open

from charrnn.arrays import Array
from charrnn.system.machine import physical_memory

# a vocabulary of all Unicode characters, escaped twice, takes 23 million bytes
MAX_HEADER_BYTES = 1 << 25
MAX_TENSORS = 1000


class Unusable(Exception):
    """Why a file cannot be used; the message is a clause such as "it is empty"."""


class TensorFile:
    """An open safetensors file, of which no tensor is read yet.

    Args:
        path: The file.

    Attributes:
        metadata: Its metadata.
        names: The names of its tensors.

    Raises:
        Unusable: The file is not a safetensors file within the bounds; also in every method.
        FileNotFoundError: There is no file.
        MemoryError: Memory is exhausted.
    """

    def __init__(self, path: Path) -> None:
        with _as_unusable():
            self._size = _bounded_size(path)
            self._file = cast(Any, safe_open(path, framework="numpy"))
            self.metadata: dict[str, str] = dict(self._file.metadata() or {})
            self.names: set[str] = set(self._file.keys())
        if len(self.names) > MAX_TENSORS:
            raise Unusable(f"it has {len(self.names):,} tensors")

    def describe(self, name: str) -> tuple[str, tuple[int, ...]]:
        """Type, as safetensors names it, and shape of a tensor."""
        with _as_unusable():
            found = self._file.get_slice(name)
            return str(found.get_dtype()), tuple(found.get_shape())

    def read(self) -> dict[str, Array]:
        """Reads all tensors."""
        with _as_unusable():
            # safetensors panics when it runs out of memory: first see whether there is enough
            np.empty(2 * self._size, np.uint8)
            return {name: self._file.get_tensor(name) for name in self.names}


@contextmanager
def _as_unusable() -> Iterator[None]:
    """Turns errors of safetensors and the operating system into Unusable."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise Unusable(f"it is not a safetensors file ({error})") from None


def _bounded_size(path: Path) -> int:
    """The size of a file in bytes, after checking it and that of its header."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("it is not a regular file")
    if not status.st_size:
        raise Unusable("it is empty")
    if status.st_size > physical_memory() / 2:
        raise Unusable(f"its {status.st_size:,} bytes are more than half of this machine's memory")
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > MAX_HEADER_BYTES:
        raise Unusable(
            f"it is not a checkpoint (its header of {header:,} bytes is longer than "
            f"{MAX_HEADER_BYTES:,})"
        )
    return status.st_size
