"""The parameters of the network in one flat array; a gradient has the same type."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array

Shape = tuple[int, ...]


class Layer(NamedTuple):
    """The parameters of one recurrent layer.

    Attributes:
        U: Input weights: (H, A) of the first layer, (H, H) of the others.
        W: Recurrent weights (H, H).
        b: Bias (H,); None without biases.
    """

    U: Array
    W: Array
    b: Array | None


class Layout:
    """Where each parameter lies in one flat array: the matrices first.

    Attributes:
        shapes: The shape of each parameter, by name.
        slices: Its slice of the flat array.
        size: Number of weights.
        matrices_size: Number of entries of the matrices, which come first.
        between_units: The slice of the matrices (H, H), which follow one another: each W, and U of
            the upper layers.
        suffixes: What the names of each layer's parameters end with, from the first layer up.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = dict(sorted(shapes.items(), key=lambda item: len(item[1]) == 1))
        self.slices: dict[str, slice] = {}
        self.size = self.matrices_size = 0
        for name, shape in self.shapes.items():
            start, self.size = self.size, self.size + prod(shape)
            self.slices[name] = slice(start, self.size)
            if len(shape) > 1:
                self.matrices_size = self.size
        self.suffixes = layer_suffixes(sum(name.startswith("W") for name in shapes))
        first, last = (self.slices["W" + self.suffixes[end]] for end in (0, -1))
        self.between_units = slice(first.start, last.stop)


class Params:
    """The weights of the equations, as views of one flat array.

    An update, a norm, or the sum of two gradients is then one pass over `flat`. Write to the named
    arrays, do not replace them. The parameters of a single layer are named U, W and b, those of the
    layers of a stack U1, W1, b1, U2, and so on.

    Args:
        layout: Where each parameter lies.
        flat: The entries (size,), which are not copied.

    Attributes:
        layout: Where each parameter lies.
        flat: All parameters end to end (size,).
        layers: The parameters of each layer, from the first up.
        V: Output weights (A, H).
        c: Output bias (A,); None without biases.
    """

    def __init__(self, layout: Layout, flat: Array) -> None:
        self.layout, self.flat = layout, flat
        self._views = views = {
            name: flat[layout.slices[name]].reshape(shape) for name, shape in layout.shapes.items()
        }
        self.layers = tuple(
            Layer(views["U" + suffix], views["W" + suffix], views.get("b" + suffix))
            for suffix in layout.suffixes
        )
        self.V, self.c = views["V"], views.get("c")

    @classmethod
    def of(cls, **arrays: Array | None) -> "Params":
        """Copies named arrays end to end; those that are None are left out."""
        present = {name: array for name, array in arrays.items() if array is not None}
        layout = Layout({name: array.shape for name, array in present.items()})
        return cls(layout, np.concatenate([present[name].ravel() for name in layout.shapes]))

    @property
    def U(self) -> Array:  # noqa: N802 - a symbol of the equations
        """Input weights (H, A) of the only layer."""
        return self._only_layer.U

    @property
    def W(self) -> Array:  # noqa: N802
        """Recurrent weights (H, H) of the only layer."""
        return self._only_layer.W

    @property
    def b(self) -> Array | None:
        """Bias (H,) of the only layer; None without biases."""
        return self._only_layer.b

    @property
    def _only_layer(self) -> Layer:
        (layer,) = self.layers
        return layer

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The precision."""
        return self.flat.dtype

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.layers)

    @property
    def hidden_size(self) -> int:
        """H, the number of units of a layer."""
        return self.V.shape[1]

    @property
    def state_size(self) -> int:
        """L·H, the number of units of all layers: the size of their joint state."""
        return self.depth * self.hidden_size

    @property
    def alphabet_size(self) -> int:
        """A."""
        return self.V.shape[0]

    @property
    def size(self) -> int:
        """Number of weights."""
        return self.layout.size

    def by_layer(self, h: Array) -> Array:
        """A view (L, ..., H) of joint states (..., L·H), from the first layer up."""
        split = h.reshape(*h.shape[:-1], self.depth, self.hidden_size)
        return split.transpose(h.ndim - 1, *range(h.ndim - 1), h.ndim)

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

    def __reduce__(self) -> tuple[type["Params"], tuple[Layout, Array]]:
        return Params, (self.layout, self.flat)  # without the views, which would be copies

    def __deepcopy__(self, memo: dict[int, object]) -> "Params":
        return self.with_flat(self.flat.copy())


def shapes(hidden_size: int, alphabet_size: int, bias: bool, depth: int = 1) -> dict[str, Shape]:
    """Shape of each parameter, in the order of the layout."""
    H, A = hidden_size, alphabet_size
    suffixes = layer_suffixes(depth)
    weights: dict[str, Shape] = {}
    for suffix in suffixes:
        weights["U" + suffix] = (H, H) if weights else (H, A)
        weights["W" + suffix] = (H, H)
    weights["V"] = (A, H)
    if bias:
        weights |= {"b" + suffix: (H,) for suffix in suffixes} | {"c": (A,)}
    return weights


def layer_suffixes(depth: int) -> tuple[str, ...]:
    """What the names of each layer's parameters end with: nothing if there is a single layer."""
    return ("",) if depth == 1 else tuple(str(number) for number in range(1, depth + 1))
