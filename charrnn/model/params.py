"""The parameters of the network; a gradient has the same type."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charrnn.window import Array


@dataclass(frozen=True)
class Params:
    """U, W, V and the biases b, c as the equations have them; without bias both are None."""

    U: Array  # (H, A)
    W: Array  # (H, H)
    V: Array  # (A, H)
    b: Array | None = None  # (H,)
    c: Array | None = None  # (A,)

    @property
    def hidden_size(self) -> int:
        """H."""
        return int(self.U.shape[0])

    @property
    def alphabet_size(self) -> int:
        """A."""
        return int(self.U.shape[1])

    @property
    def size(self) -> int:
        """The number of weights."""
        return sum(array.size for _, array in self.named())

    def named(self) -> Iterator[tuple[str, Array]]:
        """Name and array of every parameter that is present, in fixed order."""
        for name in ("U", "W", "V", "b", "c"):
            array = getattr(self, name)
            if array is not None:
                yield name, array

    def map(self, function: Callable[[Array], Array]) -> "Params":
        """The function applied to each array."""
        return Params(**{name: function(array) for name, array in self.named()})

    def astype(self, dtype: DTypeLike) -> "Params":
        """A copy in another precision."""
        return self.map(lambda array: array.astype(dtype))

    def zeros_like(self) -> "Params":
        """Zeros of the same shapes and precision."""
        return self.map(np.zeros_like)


def shapes(hidden_size: int, alphabet_size: int, bias: bool) -> Mapping[str, tuple[int, ...]]:
    """The shape of each parameter."""
    H, A = hidden_size, alphabet_size
    weights: dict[str, tuple[int, ...]] = {"U": (H, A), "W": (H, H), "V": (A, H)}
    return weights | ({"b": (H,), "c": (A,)} if bias else {})
