"""The parameters of the network; a gradient has the same type."""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array


@dataclass(frozen=True)
class Params:
    """U, W, V and the biases b, c as the equations have them; without bias both are None.

    They are copied end to end into one array `flat` (size,), so that an update, or the sum of two
    gradients, is one pass over it; `places` says where each one lies.
    """

    U: Array  # (H, A)
    W: Array  # (H, H)
    V: Array  # (A, H)
    b: Array | None = None  # (H,)
    c: Array | None = None  # (A,)
    flat: Array = field(init=False, repr=False, compare=False)
    places: Mapping[str, slice] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places, start = {}, 0
        for name, array in self.named():
            places[name] = slice(start, start + array.size)
            start += array.size
        object.__setattr__(self, "places", places)
        self._lie_in(np.concatenate([array.ravel() for _, array in self.named()]))

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
        return self.flat.size

    def named(self) -> Iterator[tuple[str, Array]]:
        """Name and array of every parameter that is present, in fixed order."""
        for name in ("U", "W", "V", "b", "c"):
            array = getattr(self, name)
            if array is not None:
                yield name, array

    @property
    def matrices_size(self) -> int:
        """The number of entries of U, W and V: the first ones of `flat`."""
        return int(self.places["V"].stop)

    def map(self, function: Callable[[Array], Array]) -> "Params":
        """The function applied to each array."""
        return Params(**{name: function(array) for name, array in self.named()})

    def astype(self, dtype: DTypeLike) -> "Params":
        """A copy in another precision."""
        return self.map(lambda array: array.astype(dtype))

    def zeros_like(self) -> "Params":
        """Zeros of the same shapes and precision."""
        return self.within(np.zeros_like(self.flat))

    def within(self, flat: Array) -> "Params":
        """Parameters of the same shapes in given memory (size,)."""
        other = copy(self)
        other._lie_in(flat)
        return other

    def __deepcopy__(self, memo: dict[int, object]) -> "Params":
        return self.within(self.flat.copy())

    def _lie_in(self, flat: Array) -> None:
        for name, place in self.places.items():
            object.__setattr__(self, name, flat[place].reshape(getattr(self, name).shape))
        object.__setattr__(self, "flat", flat)


def shapes(hidden_size: int, alphabet_size: int, bias: bool) -> Mapping[str, tuple[int, ...]]:
    """The shape of each parameter."""
    H, A = hidden_size, alphabet_size
    weights: dict[str, tuple[int, ...]] = {"U": (H, A), "W": (H, H), "V": (A, H)}
    return weights | ({"b": (H,), "c": (A,)} if bias else {})
