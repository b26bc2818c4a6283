"""Memory that a repeated computation reuses."""

from math import prod

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array


class Workspace:
    """Named arrays; each call with a name returns the same memory again, uninitialized."""

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}
        self._latest: dict[str, Array] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An uninitialized array in C order, valid until the next call with its name."""
        latest = self._latest.get(name)
        if latest is not None and latest.shape == shape and latest.dtype == dtype:
            return latest
        size = prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        array = self._latest[name] = buffer[:size].reshape(shape)
        return array

    def ones(self, size: int, dtype: DTypeLike) -> Array:
        """Ones (size,), valid until the next call."""
        ones = self.array("ones", (size,), dtype)
        ones[...] = 1
        return ones

    def copy(self, name: str, source: Array) -> Array:
        """A C-contiguous copy of an array, valid until the next call with its name."""
        target = self.array(name, source.shape, source.dtype)
        target[...] = source
        return target
