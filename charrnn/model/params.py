"""The parameters of the network in one flat array; a gradient has the same type."""

from collections.abc import Callable, Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array

Shape = tuple[int, ...]


class Layout:
    """Names, shapes and positions of parameters that lie end to end in one flat array.

    Matrices come before biases, otherwise the order is that of the argument.

    Attributes:
        shapes: The shape of each parameter.
        slices: Where each parameter lies in the flat array.
        size: Number of entries of the flat array.
        matrices_size: Number of entries of all matrices, the first ones of the flat array.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = dict(sorted(shapes.items(), key=lambda item: -len(item[1])))
        self.slices: dict[str, slice] = {}
        self.size = self.matrices_size = 0
        for name, shape in self.shapes.items():
            start, self.size = self.size, self.size + prod(shape)
            self.slices[name] = slice(start, self.size)
            if len(shape) > 1:
                self.matrices_size = self.size


def rnn_layout(hidden_size: int, alphabet_size: int, bias: bool) -> Layout:
    """Layout of U (H, A), W (H, H), V (A, H) and, with bias, b (H,) and c (A,)."""
    H, A = int(hidden_size), int(alphabet_size)  # NumPy's integers would overflow in products
    shapes: dict[str, Shape] = {"U": (H, A), "W": (H, H), "V": (A, H)}
    return Layout(shapes | ({"b": (H,), "c": (A,)} if bias else {}))


class Params:
    """The parameters U, W, V, b and c of the equations, as views of one flat array.

    An update, a norm, or the sum of two gradients is one pass over `flat`. The views can be written
    to, not replaced.

    Args:
        layout: Names, shapes and positions.
        flat: The entries (size,), which are not copied.
    """

    def __init__(self, layout: Layout, flat: Array) -> None:
        self.layout, self.flat = layout, flat
        shapes = layout.shapes
        self._arrays = {name: flat[s].reshape(shapes[name]) for name, s in layout.slices.items()}

    @classmethod
    def from_arrays(cls, **arrays: Array) -> "Params":
        """Copies arrays into new parameters: U, W, V and, with bias, b and c."""
        layout = Layout({name: array.shape for name, array in arrays.items()})
        return cls(layout, np.concatenate([arrays[name].ravel() for name in layout.shapes]))

    def __getitem__(self, name: str) -> Array:
        """The parameter of that name."""
        return self._arrays[name]

    @property
    def U(self) -> Array:
        """Input weights (H, A)."""
        return self._arrays["U"]

    @property
    def W(self) -> Array:
        """Recurrent weights (H, H)."""
        return self._arrays["W"]

    @property
    def V(self) -> Array:
        """Output weights (A, H)."""
        return self._arrays["V"]

    @property
    def b(self) -> Array | None:
        """Hidden bias (H,); None in a network without biases."""
        return self._arrays.get("b")

    @property
    def c(self) -> Array | None:
        """Output bias (A,); None in a network without biases."""
        return self._arrays.get("c")

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.layout.shapes["W"][0]

    @property
    def alphabet_size(self) -> int:
        """A."""
        return self.layout.shapes["V"][0]

    @property
    def size(self) -> int:
        """Number of weights."""
        return self.layout.size

    def named(self) -> Iterator[tuple[str, Array]]:
        """Name and array of each parameter, in the order of the layout."""
        yield from self._arrays.items()

    def map(self, function: Callable[[Array], Array]) -> "Params":
        """Applies a function that keeps shapes to each array; the result is new memory."""
        results = [function(array).ravel() for array in self._arrays.values()]
        return Params(self.layout, np.concatenate(results))

    def astype(self, dtype: DTypeLike) -> "Params":
        """A copy in another precision."""
        return Params(self.layout, self.flat.astype(dtype))

    def zeros_like(self) -> "Params":
        """Zeros of the same layout and precision."""
        return Params(self.layout, np.zeros_like(self.flat))

    def replace(self, **arrays: Array) -> "Params":
        """A copy in which some arrays are others of the same shape."""
        return Params.from_arrays(**{**self._arrays, **arrays})

    def __deepcopy__(self, memo: dict[int, object]) -> "Params":
        return Params(self.layout, self.flat.copy())
