"""Which stored ids are of which texts, so that those of earlier versions can be removed."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from charrnn.system.array_files import (
    TEXT_SUFFIX,
    array_folder,
    array_path,
    building,
    facts_of,
    remove_unused,
    stored_files,
)
from charrnn.system.files import write_atomically
from charrnn.text.sources import Selection
from charrnn.text.stored_ids import name_of

LOG = logging.getLogger(__name__)
LOCK = "texts"  # while such a file is changed, and what it says is removed


class TextName(NamedTuple):
    """By what a text is known whose content may change: its absolute paths, and a selection."""

    paths: tuple[str, ...]
    selection: Selection

    @property
    def key(self) -> str:
        """The name of its record."""
        return name_of("text", self)


class StoredIds(NamedTuple):
    """A text whose ids are stored.

    Attributes:
        path: Its first file or directory; one that exists, if several texts have the same content.
        others: How many more files and directories it has.
        paths: The first ones of all texts that have these ids.
        files: The files of its ids.
    """

    path: str
    others: int
    paths: set[str]
    files: list[Path]


class _Record(NamedTuple):
    """What is known of a text: the digest of its files, and the arrays of these and of before."""

    path: str
    others: int
    digest: str
    arrays: list[str]
    earlier: list[str]


def record_use(text: TextName, digest: str, array: str) -> None:
    """Records which array a text has; those of its earlier versions are removed if nobody has them.

    What cannot be removed, or is in use, stays until the text changes again.

    Args:
        text: The text.
        digest: What identifies the content of its files.
        array: The name of the array of its ids, in one of several encodings.
    """
    path = array_folder() / f"{text.key}{TEXT_SUFFIX}"

    def changed() -> _Record | None:
        """The record that there should be; None if it is there."""
        head, others = text.paths[0], len(text.paths) - 1
        found = _read(path)
        if found is None:
            return _Record(head, others, digest, [array], [])
        if found.digest != digest:
            earlier = [name for name in found.earlier if array_path(name).exists()]
            earlier += found.arrays
            return _Record(head, others, digest, [array], [n for n in earlier if n != array])
        return None if array in found.arrays else found._replace(arrays=[*found.arrays, array])

    if changed() is None:
        return
    try:
        with building(LOCK):
            if record := changed():
                write_atomically(path, json.dumps(record).encode())
                _remove_unused({*record.earlier})
    except OSError as error:
        LOG.info(f"ids of earlier versions of {text.paths[0]} stay: {error}")


def texts_stored() -> list[StoredIds]:
    """The texts whose ids are stored, sorted by path."""
    records = [*_records()]
    found: dict[tuple[str, int], StoredIds] = {}
    for file in stored_files():
        facts = facts_of(file) or {}
        root = facts.get("root", file.stem)
        users = [record for record in records if root in record.arrays]
        users = users or [record for record in records if root in record.earlier]
        existing = [record for record in users if os.path.exists(record.path)]
        path, others = facts.get("label", str(file)), 0
        for record in (existing or users)[:1]:
            path, others = record.path, record.others
        text = found.setdefault((path, others), StoredIds(path, others, {path}, []))
        text.paths.update(record.path for record in users)
        text.files.append(file)
    return [found[key] for key in sorted(found)]


def forget_removed() -> None:
    """Removes the records of texts of which no array is there any more."""
    for path in _record_paths():
        record = _read(path)
        if record and not any(array_path(n).exists() for n in record.arrays + record.earlier):
            with suppress(OSError):
                path.unlink()


def _remove_unused(earlier: set[str]) -> None:
    """Removes arrays that no text has, and what was made of them.

    earlier: the names of arrays that a text had.
    """
    used = {name for record in _records() for name in record.arrays}
    for file in stored_files():
        root = (facts_of(file) or {}).get("root", file.stem)
        # a running program may have made something of an array after this was removed
        if root not in used and (root in earlier or not array_path(root).exists()):
            remove_unused(file)


def _record_paths() -> list[Path]:
    return sorted(array_folder().glob(f"*{TEXT_SUFFIX}"))


def _records() -> Iterator[_Record]:
    for path in _record_paths():
        if record := _read(path):
            yield record


def _read(path: Path) -> _Record | None:
    """A record; None if there is none, or if it is damaged."""
    with suppress(OSError, ValueError, TypeError):
        head, others, digest, arrays, earlier = json.loads(path.read_bytes())
        names = [str(name) for name in arrays], [str(name) for name in earlier]
        return _Record(str(head), int(others), str(digest), *names)
    return None
