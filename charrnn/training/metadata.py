"""Validation of a checkpoint's metadata, which anyone may have written."""

import json
import re
import reprlib
from typing import Any, NoReturn

from charrnn.text.vocabulary import Vocabulary

COUNT_LIMIT = 10**15  # every count is below this
SECONDS_LIMIT = 1e12  # every duration is below this


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
