"""The characters of a text that is read in chunks, and their ids."""

import numpy as np

from charrnn.arrays import Array

CODE_POINTS = 0x110000


class Alphabet:
    """Collects the characters of strings, then numbers them in code point order.

    Attributes:
        length: The number of characters, repeated ones included, of the strings so far.
    """

    def __init__(self) -> None:
        self._present, self.length = np.zeros(CODE_POINTS, dtype=bool), 0
        self._id_of: Array | None = None

    def add(self, string: str) -> None:
        """Adds the characters of a string."""
        self._present[code_points(string)] = True
        self.length += len(string)

    @property
    def characters(self) -> str:
        """The distinct characters."""
        return "".join(map(chr, np.flatnonzero(self._present).tolist()))

    @property
    def dtype(self) -> np.dtype:
        """The type of the ids."""
        return id_type(int(np.count_nonzero(self._present)))

    def ids(self, string: str) -> Array:
        """The id of each character of a string (N,), once all strings were added.

        Raises:
            ValueError: A character was not added.
        """
        if self._id_of is None:
            self._id_of = np.zeros(CODE_POINTS, self.dtype)
            characters = np.flatnonzero(self._present)
            self._id_of[characters] = np.arange(len(characters))
        points = code_points(string)
        if not self._present[points].all():
            raise ValueError("other strings the second time")
        return self._id_of.take(points)


def id_type(count: int) -> np.dtype:
    """The smallest unsigned type for the ids of this many characters."""
    return np.min_scalar_type(max(count - 1, 0))


def code_points(string: str) -> Array:
    """The number of each character of a string (N,) in Unicode."""
    return np.frombuffer(string.encode("utf-32-le", "surrogatepass"), dtype="<u4")
