"""The one thing that text and mathematics share: a window of character ids."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]


class Window(NamedTuple):
    """T characters of B parallel lanes, time first.

    x, y: ids (T, B) of the input and target characters, y_t = x_{t+1}.
    fresh: (B,) whether the lane starts here, from the zero state.
    """

    x: Array
    y: Array
    fresh: Array
