"""A text as an array of character numbers, small in memory however long it is."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array
from charrnn.system.array_files import release_pages
from charrnn.text.alphabet import Alphabet, code_points, id_type
from charrnn.text.stored_ids import Ids, Origin, ids_made, name_of, remembered_of, stored_ids

REPLACEMENT = "\ufffd"  # stands for what cannot be decoded, or is too rare to be learned
CHUNK_CHARACTERS = 1 << 18  # processed at a time, so that temporary arrays stay small
RELEASED_CHARACTERS = 1 << 24  # of mapped ids that may stay in memory while they are read


class TextMark(NamedTuple):
    """Identifies a text: its number of characters, and its SHA-256 in UTF-8."""

    size: int
    digest: str


class Text:
    """A text stored as the indices of its characters.

    Attributes:
        characters: The distinct characters in code point order; some may not occur.
        ids: The index of each character of the text in `characters` (N,), in the smallest unsigned
            type; of a large text, mapped from a file.
        origin: The stored ids that these are; None if they are in memory only.
    """

    def __init__(self, characters: str, ids: Array, origin: Origin | None = None) -> None:
        self.characters, self.ids, self.origin = characters, ids, origin

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
        alphabet, start = Alphabet(), 0
        for chunk in chunks():
            alphabet.add(chunk)
        ids = np.empty(alphabet.length, alphabet.dtype)
        for chunk in chunks():
            out = ids[start : start + len(chunk)]
            if len(out) < len(chunk):
                raise ValueError("other strings the second time")
            out[:] = alphabet.ids(chunk)
            start += len(chunk)
        if start != len(ids):
            raise ValueError("fewer strings the second time")
        return cls(alphabet.characters, ids)

    @classmethod
    def concatenate(cls, texts: list["Text"]) -> "Text":
        """One text after another."""
        if len(texts) == 1:
            return texts[0]
        if adjacent := _adjacent(texts):
            return adjacent
        characters = "".join(sorted({c for text in texts for c in text.characters}))
        dtype = id_type(len(characters))
        id_of = {character: id for id, character in enumerate(characters)}

        def chunks() -> Iterator[Array]:
            for text in texts:
                new_ids = [id_of[character] for character in text.characters]
                for chunk in text.chunks():
                    yield chunk.take(new_ids, dtype)

        origin = next((text.origin for text in texts if text.origin), None)
        how = ["concatenate", characters, [_identity(text) for text in texts]] if origin else []
        made = ids_made(origin, how, sum(map(len, texts)), dtype, chunks)
        return cls(characters, *made)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, span: slice) -> "Text":
        origin = self.origin
        if origin:
            start, stop, _ = span.indices(len(self))
            origin = origin._replace(start=origin.start + start, stop=origin.start + stop)
        return Text(self.characters, self.ids[span], origin)

    def __str__(self) -> str:
        points = code_points(self.characters)[self.ids]
        return points.tobytes().decode("utf-32-le", "surrogatepass")

    def chunks(self) -> Iterator["Text"]:
        """The text in chunks of bounded length."""
        whole = Text(self.characters, self.ids)
        for start in range(0, len(self), CHUNK_CHARACTERS):
            yield whole[start : start + CHUNK_CHARACTERS]
            if self.origin and start % RELEASED_CHARACTERS == 0:
                release_pages(self.ids)

    def take(self, values: list[int], dtype: DTypeLike) -> Array:
        """For each character of the text (N,) its value, from one for each of `characters`."""
        return self._taken(values, dtype)[0]

    def _taken(self, values: list[int], dtype: DTypeLike) -> Ids:
        table = np.array(values, dtype)
        return ids_made(
            self.origin,
            ["take", values],
            len(self),
            dtype,
            lambda: (table.take(chunk.ids, mode="clip") for chunk in self.chunks()),
        )

    def ids_in(self, characters: str) -> Array:
        """The index of each character of the text (N,) in other characters.

        One that is not among them has their number.
        """
        return self._ids_in(characters)[0]

    def _ids_in(self, characters: str) -> Ids:
        if characters == self.characters:
            return self.ids, self.origin
        id_of = {character: id for id, character in enumerate(characters)}
        new_ids = [id_of.get(character, len(id_of)) for character in self.characters]
        return self._taken(new_ids, np.min_scalar_type(max(new_ids, default=0)))

    def replace(self, replaced: Collection[str]) -> "Text":
        """The text with U+FFFD for each of these characters."""
        characters = "".join(sorted({*self.characters, REPLACEMENT}.difference(replaced)))
        id_of = {character: id for id, character in enumerate(characters)}
        new_ids = [id_of.get(c, id_of[REPLACEMENT]) for c in self.characters]
        return Text(characters, *self._taken(new_ids, id_type(len(characters))))

    def without(self, left_out: Collection[str]) -> "Text":
        """The text without each of these characters."""
        kept = np.array([character not in left_out for character in self.characters], bool)
        count = sum(n for n, stays in zip(self.counts(), kept, strict=True) if stays)
        made = ids_made(
            self.origin,
            ["without", kept.tolist()],
            count,
            self.ids.dtype,
            lambda: (chunk.ids[kept[chunk.ids]] for chunk in self.chunks()),
        )
        return Text(self.characters, *made).compact()

    def rearranged(self, parts: list[tuple[int, int]]) -> "Text":
        """Stretches of the text, each from a start to an end, one after another."""
        made = ids_made(
            self.origin,
            ["rearranged", parts],
            sum(end - start for start, end in parts),
            self.ids.dtype,
            lambda: (c.ids for start, end in parts for c in self[start:end].chunks()),
        )
        return Text(self.characters, *made)

    def counts(self) -> list[int]:
        """How often each of `characters` occurs."""

        def count() -> list[int]:
            counts = np.zeros(len(self.characters), dtype=np.int64)
            for chunk in self.chunks():
                counts += np.bincount(chunk.ids, minlength=len(counts))
            return [int(count) for count in counts]

        what = f"counts of {len(self.characters)}"
        counted: list[int] = remembered_of(self.origin, len(self), what, count)
        return counted

    def compact(self) -> "Text":
        """The same text without characters that do not occur."""
        counts = zip(self.characters, self.counts(), strict=True)
        characters = "".join(character for character, count in counts if count)
        return Text(characters, *self._ids_in(characters))

    def digest(self) -> str:
        """The SHA-256 of the text in UTF-8, in hexadecimal."""

        def compute() -> str:
            digest = hashlib.sha256()
            for chunk in self.chunks():
                digest.update(str(chunk).encode("utf-8", "surrogatepass"))
            return digest.hexdigest()

        what = f"digest with {self.characters!r}"
        found: str = remembered_of(self.origin, len(self), what, compute)
        return found

    def mark(self) -> TextMark:
        """What identifies it."""
        return TextMark(len(self), self.digest())

    def utf8_size(self) -> int:
        """The number of bytes of the text in UTF-8."""
        sizes = (len(character.encode("utf-8", "surrogatepass")) for character in self.characters)
        return sum(size * count for size, count in zip(sizes, self.counts(), strict=True))


def _adjacent(texts: list[Text]) -> Text | None:
    """Texts that follow one another in stored ids, as one text; None if they do not."""
    origins = [text.origin for text in texts if text.origin]
    characters = {text.characters for text in texts}
    if not origins or len(origins) < len(texts) or len(characters) > 1:
        return None
    if any((a.name, a.stop) != (b.name, b.start) for a, b in pairwise(origins)):
        return None
    origin = origins[0]._replace(stop=origins[-1].stop)
    ids = stored_ids(origin)
    return None if ids is None else Text(characters.pop(), ids, origin)


def _identity(text: Text) -> str:
    """A name of a text that no other text has."""
    if text.origin:
        return name_of(text.characters, *text.origin[:-1])
    return text.digest()
