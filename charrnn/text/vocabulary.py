"""The characters that a model knows, and their ids."""

import sys
import unicodedata
from functools import cached_property

import numpy as np

from charrnn.errors import CharrnnError, UsageError
from charrnn.window import Array

UNKNOWN = -1


def describe(character: str) -> str:
    """A character with its code point: 'é' (U+00E9)."""
    return f"{character!r} (U+{ord(character):04X})"


def code_points(text: str) -> Array:
    """The text as an array of code points."""
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)


class Vocabulary:
    """Distinct characters; the id of a character is its place."""

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters):
            raise CharrnnError("a vocabulary has a character twice.")
        self.characters = characters

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """The characters of a text in the order of their code points."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.characters == other.characters

    def __hash__(self) -> int:
        return hash(self.characters)

    @cached_property
    def _ids(self) -> Array:
        """The id of each code point that exists, UNKNOWN for those outside."""
        smallest = np.int16 if len(self) <= np.iinfo(np.int16).max else np.int32
        table = np.full(sys.maxunicode + 1, UNKNOWN, dtype=smallest)
        table[code_points(self.characters)] = np.arange(len(self))
        return table

    def lookup(self, text: str) -> Array:
        """Ids (N,) of a text, UNKNOWN where the vocabulary lacks the character."""
        ids: Array = self._ids[code_points(text)]
        return ids

    def encode(self, text: str, place: str = "the text") -> Array:
        """Ids (N,) of a text.

        Raises: UsageError that names the first unknown character, with `place` for where it stands.
        """
        ids = self.lookup(text)
        unknown = np.flatnonzero(ids == UNKNOWN)
        if len(unknown):
            position = int(unknown[0])
            others = sorted({text[i] for i in unknown} - {text[position]})
            nor = f"; nor are {len(others)} others, such as {others[0]!r}" if others else ""
            raise UsageError(
                f"character {describe(text[position])} at position {position + 1:,} of {place} "
                f"is not among the {len(self)} this model knows{nor}.",
                self._suggestion(text[position]),
            )
        return ids

    def known(self, text: str) -> str:
        """The text without the characters that are not in the vocabulary."""
        return text.translate(dict.fromkeys(map(ord, set(text) - set(self.characters))))

    def decode(self, ids: Array) -> str:
        """The characters of ids (N,)."""
        return "".join(self.characters[i] for i in ids.tolist())

    def _suggestion(self, character: str) -> str:
        """The same letter without its accent or in the other case, where the model knows it."""
        base = unicodedata.normalize("NFKD", character)[0]
        for near in (base, base.swapcase()):
            if near in self.characters:
                return f"nearest is {near!r}; or choose --unknown skip."
        return "choose --unknown skip to leave it out."
