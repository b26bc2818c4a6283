"""Reading of untrusted safetensors files: bounded, and described before a tensor is read."""

import json
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from charrnn.arrays import Array
from charrnn.system.machine import physical_memory

# a vocabulary of all Unicode characters, escaped twice, takes 23 million bytes
MAX_HEADER_BYTES = 1 << 25
MAX_TENSORS, BYTES_PER_TENSOR = 1000, 200  # of its description, without names
UNREADABLE = (
    SafetensorError, TypeError, ValueError, KeyError, AttributeError, OverflowError,
)  # fmt: skip
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')


class Unusable(Exception):
    """Why a file cannot be used; the message is a clause such as "it is empty"."""


class TensorFile:
    """A safetensors file, of which no tensor is read yet.

    It is read, not mapped: a file that another program shortens while it is mapped would end this
    one by a signal.

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
        self._path = path
        with _as_unusable():
            self._size, self._head = _bounded_head(path)
            # a list in a list takes twenty times its length in memory
            if len(STRING.sub(b"", self._head)) > MAX_TENSORS * BYTES_PER_TENSOR:
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

    def describe(self, name: str) -> tuple[str, tuple[int, ...]]:
        """Type, as safetensors names it, and shape of a tensor."""
        return self._described[name]

    def read(self) -> dict[str, Array]:
        """Reads all tensors."""
        with _as_unusable():
            # safetensors panics when it runs out of memory: first see whether there is enough
            np.empty(2 * self._size, np.uint8)
            content = self._path.read_bytes()
            if content[: len(self._head)] != self._head or len(content) != self._size:
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


def _bounded_head(path: Path) -> tuple[int, bytes]:
    """The size of a file in bytes, and its header after its length, after checking both."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("it is not a regular file")
    if not status.st_size:
        raise Unusable("it is empty")
    if status.st_size > physical_memory() / 2:
        raise Unusable(f"its {status.st_size:,} bytes are more than half of this machine's memory")
    with path.open("rb") as file:
        length = file.read(8)
        header = int.from_bytes(length, "little")
        if header > MAX_HEADER_BYTES:
            raise Unusable(
                f"it is not a checkpoint (its header of {header:,} bytes is longer than "
                f"{MAX_HEADER_BYTES:,})"
            )
        return status.st_size, length + file.read(header)
