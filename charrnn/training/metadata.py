"""Validation of a checkpoint's metadata, which anyone may have written."""

import json
import re
import reprlib
from collections.abc import Iterable
from typing import Any, NoReturn

from charrnn.text.text import TextMark
from charrnn.text.vocabulary import Vocabulary

COUNT_LIMIT = 10**15  # every count is below this
SECONDS_LIMIT = 1e12  # every duration is below this
# characters of a JSON document; a config has at most a million, which escapes make longer
MAX_LENGTH, MAX_LENGTHS = 1 << 16, {"config": 1 << 24, "vocabulary": 1 << 25}
MAX_STRUCTURES = {"config": 1 << 20, "vocabulary": 1 << 22}  # of what is not in strings
# one that does not end is matched too: to look for its end from each quote takes quadratic time
STRING = re.compile(r'(?s)"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)')


def parsed(metadata: dict[str, str], wanted: Iterable[str]) -> dict[str, Any]:
    """The values of JSON documents in metadata, as far as they are there.

    Args:
        metadata: Documents by key.
        wanted: The keys to parse.

    Raises:
        ValueError: A document is too long or not JSON.
        RecursionError: A document nests too deeply.
    """
    found = {}
    for key in wanted:
        if (document := metadata.get(key)) is None:
            continue
        if len(document) > MAX_LENGTHS.get(key, MAX_LENGTH):
            raise ValueError(f"{key} has {len(document):,} characters")
        if structure_size(document) > MAX_STRUCTURES.get(key, MAX_LENGTH):
            raise ValueError(f"{key} has too many values")
        found[key] = strict_json(document)
    return found


def structure_size(document: str) -> int:
    """The number of characters of a JSON document outside of its strings.

    It bounds the memory that the parsed document takes: a list in a list, twenty times its length.
    """
    return len(STRING.sub("", document))


def strict_json(document: str) -> Any:
    """Parses a JSON document.

    Raises:
        ValueError: It is not JSON, or it contains NaN or Infinity, which JSON lacks.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number")

    return json.loads(document, parse_constant=refuse)


def checked_vocabulary(characters: Any) -> Vocabulary:
    """Makes the vocabulary of a list of distinct characters that UTF-8 can encode.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(characters, list) or not characters:
        raise ValueError("the vocabulary is not a list of characters")
    for character in characters:
        single = isinstance(character, str) and len(character) == 1
        if not single or 0xD800 <= ord(character) <= 0xDFFF:
            raise ValueError(f"{reprlib.repr(character)} in the vocabulary is not a character")
    return Vocabulary("".join(characters))


def checked_count(name: str, value: Any) -> int:
    """Returns an integer from 0 to below COUNT_LIMIT.

    Raises:
        ValueError: It is something else.
    """
    if type(value) is not int or not 0 <= value < COUNT_LIMIT:
        raise ValueError(f"{name} = {reprlib.repr(value)}")
    return value


def checked_digest(value: Any) -> str:
    """Returns a SHA-256 in hexadecimal.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError(f"text_digest = {reprlib.repr(value)}")
    return value


def checked_marks(values: Any) -> dict[str, TextMark]:
    """Makes the marks of held-out texts from plain values.

    Raises:
        ValueError: They are something else.
    """
    if not isinstance(values, dict) or not values.keys() <= {"validation", "test"}:
        raise ValueError(f"held_out = {reprlib.repr(values)}")
    found = {}
    for name, mark in values.items():
        if not isinstance(mark, dict) or mark.keys() != {"size", "digest"}:
            raise ValueError(f"held_out.{name} = {reprlib.repr(mark)}")
        size = checked_count(f"held_out.{name}.size", mark["size"])
        found[name] = TextMark(size, checked_digest(mark["digest"]))
    return found
