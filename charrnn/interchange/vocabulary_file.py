"""The vocabulary of a network of another framework: a JSON file, or the text it was trained on."""

import reprlib
from pathlib import Path
from typing import Any

from charrnn.errors import CharrnnError, InputError
from charrnn.system.files import open_regular
from charrnn.text.reading import read_text
from charrnn.text.sources import STDIN
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.metadata import (
    MAX_LENGTHS,
    MAX_STRUCTURES,
    checked_vocabulary,
    strict_json,
    structure_size,
)

SUFFIX = ".json"
MAX_BYTES = MAX_LENGTHS["vocabulary"]
HINT = (
    'give a JSON list of characters in the order of their ids, a JSON object such as {"a": 0, '
    '"b": 1}, or the text that the network was trained on, for its characters in sorted order.'
)


def read_vocabulary(path: str) -> Vocabulary:
    """Reads a vocabulary.

    Args:
        path: A .json file with a list of characters, a string of them, their ids (`stoi`) or the
            characters of ids (`itos`), or an object with one of these two; any other file is a
            text, whose distinct characters are sorted by code point.

    Raises:
        InputError: It is missing or not a vocabulary.
    """
    if Path(path).suffix != SUFFIX:
        path = "./-" if path == STDIN else path
        return Vocabulary("".join(sorted(read_text([path]).text.compact().characters)))
    try:
        with open_regular(Path(path)) as file:
            content = file.read(MAX_BYTES + 1)
        document = content.decode("utf-8-sig")
        if len(content) > MAX_BYTES or structure_size(document) > MAX_STRUCTURES["vocabulary"]:
            raise ValueError(f"it has more than {MAX_BYTES:,} bytes, or too many values")
        return checked_vocabulary(_characters(strict_json(document)))
    except FileNotFoundError:
        raise InputError(f"there is no vocabulary {path!r}.", HINT) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", HINT) from None
    except RecursionError:
        raise InputError(f"{path} is not a vocabulary: it nests too deeply.", HINT) from None
    except (ValueError, CharrnnError) as error:
        why = str(error).removesuffix(".")
        raise InputError(f"{path} is not a vocabulary: {why}.", HINT) from None


def _characters(document: Any) -> list[Any]:
    """The characters in the order of their ids. Raises: ValueError."""
    if isinstance(document, list | str):
        return list(document)
    if not isinstance(document, dict):
        raise ValueError("it is neither a list nor an object")
    for name in ("stoi", "itos"):
        if isinstance(document.get(name), list | dict):
            return _characters(document[name])
    if all(isinstance(value, str) for value in document.values()):  # characters by their ids
        ids = {int(id) if id.isdecimal() else id: name for id, name in document.items()}
    else:
        ids = {id if type(id) is int else repr(id): name for name, id in document.items()}
    if len(ids) < len(document):
        raise ValueError("two characters have the same id")
    if odd := [id for id in ids if not isinstance(id, int) or not 0 <= id < len(ids)]:
        raise ValueError(
            f"it has the id {reprlib.repr(odd[0])}; its {len(ids):,} characters need the ids from "
            "0 up"
        )
    return [ids[id] for id in range(len(ids))]
