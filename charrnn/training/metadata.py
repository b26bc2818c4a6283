"""Values of a checkpoint's metadata, each checked: anyone may have written them."""

import json
import re
import reprlib
from typing import Any, NoReturn

from charrnn.text.vocabulary import Vocabulary

TOO_MANY = 10**15  # what counts stay below
TOO_LONG = 1e12  # what seconds stay below


def strict_json(document: str) -> Any:
    """The value of a JSON document. Raises: ValueError also for NaN and Infinity."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number")

    return json.loads(document, parse_constant=refuse)


def checked_vocabulary(characters: Any) -> Vocabulary:
    """The vocabulary of a list of distinct characters that UTF-8 can write."""
    if not isinstance(characters, list) or not characters:
        raise ValueError("the vocabulary is no list of characters")
    for character in characters:
        single = isinstance(character, str) and len(character) == 1
        if not single or 0xD800 <= ord(character) <= 0xDFFF:
            raise ValueError(f"{reprlib.repr(character)} in the vocabulary is no character")
    return Vocabulary("".join(characters))


def checked_count(name: str, value: Any) -> int:
    """A whole number from 0 on."""
    if type(value) is not int or not 0 <= value < TOO_MANY:
        raise ValueError(f"{name} = {reprlib.repr(value)}")
    return value


def checked_digest(value: Any) -> str:
    """A SHA-256 in hexadecimal."""
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError(f"text_digest = {reprlib.repr(value)}")
    return value
