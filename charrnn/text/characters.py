"""Kinds of characters, and where in a text they are."""

import unicodedata
from collections.abc import Callable

from charrnn.arrays import Array
from charrnn.text.text import Text

VOWELS = "aeiou"


def is_letter(character: str) -> bool:
    """Whether it is a letter, or a mark on one."""
    return unicodedata.category(character)[0] in "LM"


def is_vowel(character: str) -> bool:
    """Whether it is one of a, e, i, o and u, with any accent and in either case."""
    return unicodedata.normalize("NFKD", character)[0].lower() in VOWELS


def is_punctuation(character: str) -> bool:
    """Whether it is punctuation or a symbol."""
    return unicodedata.category(character)[0] in "PS"


CHARACTER_KINDS: dict[str, Callable[[str], bool]] = {
    "letter": is_letter,
    "capital letter": str.isupper,
    "vowel": is_vowel,
    "digit": str.isdigit,
    "punctuation": is_punctuation,
    "whitespace": str.isspace,
}


def is_kind(text: Text, kind: Callable[[str], bool]) -> Array:
    """Whether each character of a text is of a kind (N,)."""
    return text.take([kind(character) for character in text.characters], bool)


def is_in(text: Text, characters: str) -> Array:
    """Whether each character of a text is one of these (N,)."""
    return is_kind(text, characters.__contains__)


def most_frequent(text: Text, number: int) -> list[str]:
    """The most frequent characters of a text, the first of equals in code point order."""
    counted = zip(text.counts(), text.characters, strict=True)
    ranked = sorted(counted, key=lambda pair: -pair[0])
    return [character for count, character in ranked[:number] if count]
