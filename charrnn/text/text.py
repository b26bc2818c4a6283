"""A text as an array of character numbers, small in memory however long it is."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array

REPLACEMENT = "\ufffd"  # stands for what cannot be decoded, or is too rare to be learned
CHUNK_CHARACTERS = 1 << 18  # processed at a time, so that temporary arrays stay small
CODE_POINTS = 0x110000


class TextMark(NamedTuple):
    """What a text is recognized by: its number of characters, and its SHA-256 in UTF-8."""

    size: int
    digest: str


class Text:
    """A text stored as the indices of its characters.

    Attributes:
        characters: The distinct characters in code point order; some may not occur.
        ids: The index of each character of the text in `characters` (N,), in the smallest unsigned
            type.
    """

    def __init__(self, characters: str, ids: Array) -> None:
        self.characters, self.ids = characters, ids

    @classmethod
    def of(cls, string: str) -> "Text":
        """The text of a string."""
        return cls.of_chunks(lambda: iter([string]))

    @classmethod
    def of_chunks(cls, chunks: Callable[[], Iterator[str]]) -> "Text":
        """The text of strings that need not be in memory together.

        Args:
            chunks: Called twice, to find the characters and then to number them.

        Raises:
            ValueError: The second call gives other strings.
        """
        present, length = np.zeros(CODE_POINTS, dtype=bool), 0
        for chunk in chunks():
            present[_code_points(chunk)] = True
            length += len(chunk)
        characters = np.flatnonzero(present)
        ids, start = np.empty(length, _id_type(len(characters))), 0
        id_of = np.zeros(CODE_POINTS, ids.dtype)
        id_of[characters] = np.arange(len(characters))
        for chunk in chunks():
            points = _code_points(chunk)
            out = ids[start : start + len(points)]
            if len(out) < len(points) or not present[points].all():
                raise ValueError("other strings the second time")
            id_of.take(points, out=out, mode="clip")
            start += len(points)
        if start != length:
            raise ValueError("fewer strings the second time")
        return cls("".join(map(chr, characters.tolist())), ids)

    @classmethod
    def concatenate(cls, texts: list["Text"]) -> "Text":
        """One text after another."""
        if len(texts) == 1:
            return texts[0]
        characters = "".join(sorted({c for text in texts for c in text.characters}))
        ids, start = np.empty(sum(map(len, texts)), _id_type(len(characters))), 0
        id_of = {character: id for id, character in enumerate(characters)}
        for text in texts:
            new_ids = [id_of[character] for character in text.characters]
            for chunk in text.chunks():
                ids[start : start + len(chunk)] = chunk.take(new_ids, ids.dtype)
                start += len(chunk)
        return cls(characters, ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, span: slice) -> "Text":
        return Text(self.characters, self.ids[span])

    def __str__(self) -> str:
        points = _code_points(self.characters)[self.ids]
        return points.tobytes().decode("utf-32-le", "surrogatepass")

    def chunks(self) -> Iterator["Text"]:
        """The text in chunks of bounded length."""
        size = CHUNK_CHARACTERS
        return (self[start : start + size] for start in range(0, len(self), size))

    def take(self, values: list[int] | list[bool], dtype: DTypeLike) -> Array:
        """For each character of the text (N,) its value, from one for each of `characters`."""
        table, taken, start = np.array(values, dtype), np.empty(len(self), dtype), 0
        for chunk in self.chunks():
            table.take(chunk.ids, out=taken[start : start + len(chunk)], mode="clip")
            start += len(chunk)
        return taken

    def ids_in(self, characters: str) -> Array:
        """The index of each character of the text (N,) in other characters.

        One that is not among them has their number.
        """
        if characters == self.characters:
            return self.ids
        id_of = {character: id for id, character in enumerate(characters)}
        new_ids = [id_of.get(character, len(id_of)) for character in self.characters]
        return self.take(new_ids, np.min_scalar_type(max(new_ids, default=0)))

    def replace(self, replaced: Collection[str]) -> "Text":
        """The text with U+FFFD for each of these characters."""
        characters = "".join(sorted({*self.characters, REPLACEMENT}.difference(replaced)))
        id_of = {character: id for id, character in enumerate(characters)}
        new_ids = [id_of.get(c, id_of[REPLACEMENT]) for c in self.characters]
        return Text(characters, self.take(new_ids, _id_type(len(characters))))

    def counts(self) -> list[int]:
        """How often each of `characters` occurs."""
        counts = np.zeros(len(self.characters), dtype=np.int64)
        for chunk in self.chunks():
            counts += np.bincount(chunk.ids, minlength=len(counts))
        return [int(count) for count in counts]

    def compact(self) -> "Text":
        """The same text without characters that do not occur."""
        counts = zip(self.characters, self.counts(), strict=True)
        characters = "".join(character for character, count in counts if count)
        return Text(characters, self.ids_in(characters))

    def digest(self) -> str:
        """The SHA-256 of the text in UTF-8, in hexadecimal."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(str(chunk).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def mark(self) -> TextMark:
        """What it is recognized by."""
        return TextMark(len(self), self.digest())

    def utf8_size(self) -> int:
        """The number of bytes of the text in UTF-8."""
        sizes = (len(character.encode("utf-8", "surrogatepass")) for character in self.characters)
        return sum(size * count for size, count in zip(sizes, self.counts(), strict=True))


def _id_type(count: int) -> np.dtype:
    """The smallest unsigned type for so many ids."""
    return np.min_scalar_type(max(count - 1, 0))


def _code_points(string: str) -> Array:
    return np.frombuffer(string.encode("utf-32-le", "surrogatepass"), dtype="<u4")
