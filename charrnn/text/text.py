"""A text as numbers, small in memory however long it is."""

import hashlib
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array

REPLACEMENT = "\ufffd"  # stands for what cannot be read, or is too rare to be learned
PIECE = 1 << 18  # characters that are worked on at a time: temporary arrays stay small


class Text:
    """Characters in the order of their code points, and for each place (N,) the number of its one.

    The numbers have the smallest unsigned type that fits. Some characters may stand nowhere.
    """

    def __init__(self, characters: str, ids: Array) -> None:
        self.characters, self.ids = characters, ids

    @classmethod
    def of(cls, string: str) -> "Text":
        """The text of a string."""
        return cls.of_pieces(lambda: iter([string]))

    @classmethod
    def of_pieces(cls, pieces: Callable[[], Iterator[str]]) -> "Text":
        """The text of strings that can be had twice, so that they need not be kept.

        Raises: ValueError where they are of another length, or have other characters, the second
        time.
        """
        present, length = np.zeros(0x110000, dtype=bool), 0
        for piece in pieces():
            present[_points(piece)] = True
            length += len(piece)
        points = np.flatnonzero(present)
        ids, start = np.empty(length, np.min_scalar_type(max(len(points) - 1, 0))), 0
        numbers = np.zeros(0x110000, ids.dtype)
        numbers[points] = np.arange(len(points))
        for piece in pieces():
            found = _points(piece)
            room = ids[start : start + len(found)]
            if len(room) < len(found) or not present[found].all():
                raise ValueError("other strings the second time")
            numbers.take(found, out=room, mode="clip")
            start += len(found)
        if start != length:
            raise ValueError("fewer strings the second time")
        return cls("".join(map(chr, points.tolist())), ids)

    @classmethod
    def joined(cls, texts: list["Text"]) -> "Text":
        """One text after another."""
        if len(texts) == 1:
            return texts[0]
        characters = "".join(sorted({c for text in texts for c in text.characters}))
        ids = np.empty(sum(map(len, texts)), np.min_scalar_type(max(len(characters) - 1, 0)))
        places = {character: place for place, character in enumerate(characters)}
        start = 0
        for piece in (piece for text in texts for piece in text.pieces()):
            found = [places[character] for character in piece.characters]
            ids[start : start + len(piece)] = piece.mapped(found, ids.dtype)
            start += len(piece)
        return cls(characters, ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: slice) -> "Text":
        return Text(self.characters, self.ids[place])

    def __str__(self) -> str:
        return _points(self.characters)[self.ids].tobytes().decode("utf-32-le", "surrogatepass")

    def pieces(self) -> Iterator["Text"]:
        """The text in pieces of bounded length."""
        return (self[start : start + PIECE] for start in range(0, len(self), PIECE))

    def mapped(self, values: list[int] | list[bool], dtype: DTypeLike) -> Array:
        """At each place (N,) the value that belongs to its character."""
        table, found, start = np.array(values, dtype), np.empty(len(self), dtype), 0
        for piece in self.pieces():
            table.take(piece.ids, out=found[start : start + len(piece)], mode="clip")
            start += len(piece)
        return found

    def numbered(self, characters: str) -> Array:
        """The places (N,) in other characters; for one that is not among them, their number."""
        if characters == self.characters:
            return self.ids
        places = {character: place for place, character in enumerate(characters)}
        found = [places.get(character, len(places)) for character in self.characters]
        return self.mapped(found, np.min_scalar_type(max(found, default=0)))

    def folded(self, folded: Collection[str]) -> "Text":
        """The text with U+FFFD in the place of these characters."""
        characters = "".join(sorted({*self.characters, REPLACEMENT}.difference(folded)))
        places = {character: place for place, character in enumerate(characters)}
        numbers = [places.get(c, places[REPLACEMENT]) for c in self.characters]
        return Text(characters, self.mapped(numbers, np.min_scalar_type(len(characters) - 1)))

    def counts(self) -> list[int]:
        """How often each of the characters stands in the text."""
        counts = np.zeros(len(self.characters), dtype=np.int64)
        for piece in self.pieces():
            counts += np.bincount(piece.ids, minlength=len(counts))
        return [int(count) for count in counts]

    def compact(self) -> "Text":
        """The same text with only the characters that stand in it."""
        counts = zip(self.characters, self.counts(), strict=True)
        characters = "".join(character for character, count in counts if count)
        return Text(characters, self.numbered(characters))

    def digest(self) -> str:
        """The SHA-256 of the text in UTF-8, in hexadecimal."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(str(piece).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def utf8_size(self) -> int:
        """The number of its bytes in UTF-8."""
        sizes = (len(character.encode("utf-8", "surrogatepass")) for character in self.characters)
        return sum(size * count for size, count in zip(sizes, self.counts(), strict=True))


def _points(string: str) -> Array:
    """The code points of a string."""
    return np.frombuffer(string.encode("utf-32-le", "surrogatepass"), dtype="<u4")
