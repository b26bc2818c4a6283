"""The parameters of the network in one flat array; a gradient has the same type."""

from collections.abc import Callable, Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array

Shape = tuple[int, ...]

MATRICES = ("U", "W", "V")


class Layout:
    """Where each parameter lies in one flat array: the matrices first, in fixed order.

    Attributes:
        shapes: The shape of each parameter, by name.
        slices: Its slice of the flat array.
        size: Number of weights.
        matrices_size: Number of entries of the matrices, which come first.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = dict(shapes)
        self.slices: dict[str, slice] = {}
        self.size = self.matrices_size = 0
        for name, shape in self.shapes.items():
            start, self.size = self.size, self.size + prod(shape)
            self.slices[name] = slice(start, self.size)
            if name in MATRICES:
                self.matrices_size = self.size


class Params:
    """U, W, V and the biases b, c of the equations, as views of one flat array.

    An update, a norm, or the sum of two gradients is then one pass over `flat`. Write to the named
    arrays, do not replace them.

    Args:
        layout: Where each parameter lies.
        flat: The entries (size,), which are not copied.

    Attributes:
        layout: Where each parameter lies.
        flat: All parameters end to end (size,).
        U: Input weights (H, A).
        W: Recurrent weights (H, H).
        V: Output weights (A, H).
        b: Hidden bias (H,); None without biases.
        c: Output bias (A,); None without biases.
    """

    def __init__(self, layout: Layout, flat: Array) -> None:
        self.layout, self.flat = layout, flat
        self._views = {
            name: flat[layout.slices[name]].reshape(shape) for name, shape in layout.shapes.items()
        }
        self.U, self.W, self.V = (self._views[name] for name in MATRICES)
        self.b, self.c = self._views.get("b"), self._views.get("c")

    @classmethod
    def of(
        cls, *, U: Array, W: Array, V: Array, b: Array | None = None, c: Array | None = None
    ) -> "Params":
        """Copies arrays end to end."""
        arrays = {"U": U, "W": W, "V": V, "b": b, "c": c}
        present = {name: array for name, array in arrays.items() if array is not None}
        layout = Layout({name: array.shape for name, array in present.items()})
        return cls(layout, np.concatenate([array.ravel() for array in present.values()]))

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
        """Number of weights."""
        return self.layout.size

    def named(self) -> Iterator[tuple[str, Array]]:
        """Name and array of each parameter that is present, in fixed order."""
        return iter(self._views.items())

    def map(self, function: Callable[[Array], Array]) -> "Params":
        """Applies a function that keeps the shape to the flat array."""
        return self.with_flat(function(self.flat))

    def astype(self, dtype: DTypeLike) -> "Params":
        """A copy in another precision."""
        return self.map(lambda flat: flat.astype(dtype))

    def zeros_like(self) -> "Params":
        """Zeros of the same layout and precision."""
        return self.map(np.zeros_like)

    def with_flat(self, flat: Array) -> "Params":
        """Parameters of the same layout in other memory (size,), which is not copied."""
        return Params(self.layout, flat)

    def replace(self, **arrays: Array) -> "Params":
        """A copy in which some parameters are replaced by arrays of the same shape."""
        return Params.of(**{**self._views, **arrays})

    def __deepcopy__(self, memo: dict[int, object]) -> "Params":
        return self.with_flat(self.flat.copy())


def shapes(hidden_size: int, alphabet_size: int, bias: bool) -> dict[str, Shape]:
    """Shape of each parameter, in the order of the layout."""
    H, A = hidden_size, alphabet_size
    weights: dict[str, Shape] = {"U": (H, A), "W": (H, H), "V": (A, H)}
    return weights | ({"b": (H,), "c": (A,)} if bias else {})
