"""A safetensors file from anyone: within bounds, and described before a tensor of it is read."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError, safe_open

from charrnn.arrays import Array
from charrnn.system.machine import physical_memory

# bytes; a vocabulary of all the characters there are, escaped twice, takes 23 million
LONGEST_HEADER = 1 << 25
MOST_TENSORS = 1000


class Unusable(Exception):
    """What keeps a file from being used, in half a sentence."""


class TensorFile:
    """An open file: its metadata, and the names of its tensors, none of which is read yet.

    Raises: Unusable, here and later; FileNotFoundError; MemoryError.
    """

    def __init__(self, path: Path) -> None:
        with _no_surprise():
            self._size = _bounded_size(path)
            self._file = cast(Any, safe_open(path, framework="numpy"))
            self.metadata: dict[str, str] = dict(self._file.metadata() or {})
            self.names: set[str] = set(self._file.keys())
        if len(self.names) > MOST_TENSORS:
            raise Unusable(f"it has {len(self.names):,} tensors")

    def describe(self, name: str) -> tuple[str, tuple[int, ...]]:
        """The type, in the words of safetensors, and the shape of a tensor."""
        with _no_surprise():
            found = self._file.get_slice(name)
            return str(found.get_dtype()), tuple(found.get_shape())

    def read(self) -> dict[str, Array]:
        """All the tensors."""
        with _no_surprise():
            # safetensors takes it ill when memory ends within it: first see whether there is any
            np.empty(2 * self._size, np.uint8)
            return {name: self._file.get_tensor(name) for name in self.names}


@contextmanager
def _no_surprise() -> Iterator[None]:
    """Makes whatever safetensors and the system raise Unusable."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise Unusable(f"it is no safetensors file ({error})") from None


def _bounded_size(path: Path) -> int:
    """The size of a file in bytes, where it and its header are no larger than they may be."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("it is no regular file")
    if not status.st_size:
        raise Unusable("it is empty")
    if status.st_size > physical_memory() / 2:
        raise Unusable(f"its {status.st_size:,} bytes are more than half of this machine's memory")
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > LONGEST_HEADER:
        raise Unusable(
            f"it is no safetensors file of this program (a header of {header:,} bytes, "
            f"above {LONGEST_HEADER:,})"
        )
    return status.st_size
