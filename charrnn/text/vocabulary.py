"""The characters that a model knows, and their ids."""

import unicodedata

from charrnn.arrays import Array
from charrnn.errors import CharrnnError, UsageError
from charrnn.text.id_chunks import id_chunks
from charrnn.text.text import Text
from charrnn.wording import pluralize


def describe(character: str) -> str:
    """A character with its code point: 'é' (U+00E9)."""
    return f"{character!r} (U+{ord(character):04X})"


class Vocabulary:
    """Distinct characters; the id of a character is its index."""

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters):
            raise CharrnnError("a vocabulary has a character twice.")
        self.characters = characters

    def __len__(self) -> int:
        return len(self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.characters == other.characters

    def __hash__(self) -> int:
        return hash(self.characters)

    def encode(self, text: Text, label: str = "the text") -> Array:
        """The ids (N,) of a text, in the smallest unsigned type.

        Args:
            text: The text.
            label: What messages call it.

        Raises:
            UsageError: It has unknown characters; the message names the first.
        """
        ids, unknown = text.ids_in(self.characters), len(self)
        strange = {*text.characters} - {*self.characters}
        if strange and (position := _first(ids, unknown)) is not None:
            first = str(text[position : position + 1])
            others = sorted({*text.compact().characters} - {*self.characters, first})
            are = "is" if len(others) == 1 else "are"
            number = pluralize(len(others), "other")
            nor = f"; nor {are} {number}, such as {others[0]!r}" if others else ""
            raise UsageError(
                f"character {describe(first)} at position {position + 1:,} of {label} "
                f"is not among the {len(self)} this model knows{nor}.",
                self._suggestion(first),
            )
        return ids

    def handle_unknown(self, texts: list[Text], unknown: str) -> tuple[list[Text], tuple[str, ...]]:
        """Leaves out or replaces the unknown characters of texts.

        Args:
            texts: The texts.
            unknown: "error" changes nothing, so that `encode` raises; "skip" leaves unknown
                characters out, and texts without any others; "replace" puts U+FFFD in their place.

        Returns:
            The texts, and notes that say how many characters were unknown.
        """
        strange = {character for text in texts for character in text.characters}
        strange -= {*self.characters}
        if unknown == "error" or not strange:
            return texts, ()
        known = [text.without(strange) for text in texts]
        number = pluralize(sum(map(len, texts)) - sum(map(len, known)), "unknown character")
        if unknown == "skip":
            return [text for text in known if text], (f"{number} left out.",)
        return [text.replace(strange) for text in texts], (f"{number} read as U+FFFD.",)

    def decode(self, ids: Array) -> str:
        """The characters of ids (N,)."""
        return "".join(self.characters[i] for i in ids.tolist())

    def _suggestion(self, character: str) -> str:
        """The same letter without its accent or in the other case, if the model knows it."""
        base = unicodedata.normalize("NFKD", character)[0]
        for near in (base, base.swapcase()):
            if near in self.characters:
                return f"nearest is {near!r}; or choose `unknown=skip`."
        return "choose `unknown=skip` to leave it out."


def _first(ids: Array, sought: int) -> int | None:
    """The position of the first of these ids; None if there is none."""
    for start, chunk in id_chunks(ids):
        found = chunk == sought
        if found.any():
            return start + int(found.argmax())
    return None
