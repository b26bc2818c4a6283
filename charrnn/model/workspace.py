"""Arrays that a repeated computation writes over instead of allocating them anew."""

from math import prod

import numpy as np
from numpy.typing import DTypeLike

from charrnn.window import Array


class Workspace:
    """Named arrays. Each call with a name hands out the same memory again, uninitialized."""

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of this shape (C order); valid until the next call with its name."""
        size = prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        return buffer[:size].reshape(shape)

    def copy(self, name: str, source: Array) -> Array:
        """A C-contiguous copy of `source` under a name."""
        target = self.array(name, source.shape, source.dtype)
        target[...] = source
        return target
