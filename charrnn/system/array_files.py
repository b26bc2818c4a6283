"""Arrays in files of the cache, which are mapped into memory and not read.

A file has the array, then facts about it in JSON, the SHA-256 and the length of these, and MAGIC.
"""

import errno
import hashlib
import json
import mmap
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array
from charrnn.system import file_locks
from charrnn.system.cache import cache_folder
from charrnn.system.files import leftovers, replacing, write_atomically
from charrnn.system.turns import Turn

MAGIC = b"charrnn1"
LENGTH_BYTES = 8
FOOTER_BYTES = 32 + LENGTH_BYTES + len(MAGIC)
SAMPLES, SAMPLE_BYTES = 64, 1 << 12  # of the array, compared with their digest when it is opened
SPARE_BYTES = 1 << 26  # that stay free on the disk
SUFFIX = ".array"
TEXT_SUFFIX = ".text"  # of the file that says which arrays are of a text
ABANDONED_SECONDS = 3600  # since the last change of a file that a killed program left


class StoredArray(NamedTuple):
    """An array (N,) in a file, which must not be written to, and facts about it."""

    array: Array
    facts: dict[str, Any]


def array_folder() -> Path:
    """The folder of arrays in the user's cache."""
    return cache_folder() / "ids"


def _made_folder() -> Path:
    """The same, there; nobody else may look into it: a text may be private. Raises: OSError."""
    folder = array_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def free_bytes() -> int:
    """The bytes that arrays may take on the disk of that folder; 0 if it cannot be told."""
    folder = array_folder()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return max(shutil.disk_usage(folder).free - SPARE_BYTES, 0)
    except OSError:
        return 0


def array_path(name: str) -> Path:
    """The file of the array of this name."""
    return array_folder() / f"{name}{SUFFIX}"


def open_array(name: str) -> StoredArray | None:
    """Maps an array; None if there is no file, or if it is damaged.

    Damage is looked for in the facts, the size and SAMPLES blocks of the array, spread over it.
    """
    path = array_path(name)
    with suppress(OSError, ValueError, KeyError, TypeError):
        with path.open("rb") as file:
            head = _read_head(file)
            if head is None or not file_locks.share(file.fileno()):
                return None
            mapped = np.memmap(file, head["dtype"], "r", shape=(head["count"],))
        return StoredArray(mapped.view(np.ndarray), head["facts"])
    return None


def facts_of(path: Path) -> dict[str, Any] | None:
    """The facts about an array; None if there is no file, or if it is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
        head = _read_head(file)
        return None if head is None else head["facts"]
    return None


def remove_unused(path: Path) -> bool:
    """Removes an array that no running program has mapped; returns whether it is gone."""
    return file_locks.remove_unused(path)


def release_pages(array: Array) -> None:
    """Tells the system that what was read of a mapped array need not stay in this process."""
    base: Any = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    advice = getattr(mmap, "MADV_DONTNEED", None)  # the pages of a file stay in the system's cache
    if advice is not None and isinstance(base, np.memmap):
        base._mmap.madvise(advice)  # type: ignore[attr-defined]


def write_array(
    name: str, dtype: DTypeLike, count: int, chunks: Iterable[Array], facts: dict[str, Any]
) -> None:
    """Writes an array; until it is complete, there is no file of its name.

    Args:
        name: The name.
        dtype: Its type.
        count: The number of its elements N, at least 1.
        chunks: The elements in order.
        facts: JSON that is kept with it.

    Raises:
        OSError: It cannot be written, or the disk has too little space.
        ValueError: There are more elements than `count`, or fewer.
    """
    kind, path = np.dtype(dtype), array_path(name)
    size = count * kind.itemsize
    _made_folder()
    if free_bytes() < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path.parent))
    with replacing(path) as file:
        for chunk in chunks:
            file.write(np.ascontiguousarray(chunk, kind).data)
        if file.tell() != size:
            raise ValueError(f"{file.tell()} bytes, not {size}")
        file.flush()
        with open(file.name, "rb") as written:
            samples = _sampled(written, size)
        head = {"dtype": kind.str, "count": count, "samples": samples, "facts": facts}
        content = json.dumps(head).encode()
        length = len(content).to_bytes(LENGTH_BYTES, "little")
        file.write(content + hashlib.sha256(content).digest() + length + MAGIC)


@contextmanager
def building(name: str) -> Iterator[None]:
    """Waits until no other process builds the array of this name; this is for one at a time.

    Where files cannot be locked, several build it, and the last one to finish replaces the others'.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder = _made_folder()
    for path in _abandoned(folder):
        with suppress(OSError):
            path.unlink()
    turn = Turn(array_path(name).with_suffix(".lock"))
    try:
        turn.take()
    except OSError as error:
        if error.errno != errno.ENOLCK:
            raise
    try:
        yield
    finally:
        turn.end()


def remembered(name: str, compute: Callable[[], Any]) -> Any:
    """The JSON that was computed before under this name; else it is computed and kept.

    compute: returns what is not None.
    """
    path = array_folder() / f"{name}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(path.read_bytes())
        if known["sha256"] == hashlib.sha256(json.dumps(known["value"]).encode()).hexdigest():
            return known["value"]
    value = compute()
    digest = hashlib.sha256(json.dumps(value).encode()).hexdigest()
    with suppress(OSError):  # it is computed again the next time
        _made_folder()
        write_atomically(path, json.dumps({"sha256": digest, "value": value}).encode())
    return value


def stored_files() -> list[Path]:
    """The files of all arrays, sorted by name."""
    return sorted(array_folder().glob(f"*{SUFFIX}"))


def unfinished_files() -> list[Path]:
    """The files of arrays that are being built, or that a killed program left."""
    return [*leftovers(array_folder())]


def removable_files() -> tuple[list[Path], list[Path]]:
    """The files that may be removed and are no arrays; those of one that is being built may not.

    Returns:
        What describes arrays, and locks; and what killed programs left.
    """
    folder, all_free = array_folder(), True
    removable = [path for end in (".json", TEXT_SUFFIX) for path in folder.glob(f"*{end}")]
    for path in folder.glob("*.lock"):
        try:
            is_free = unlocked = Turn(path).is_free()
        except OSError:  # no file can be locked here, or this is none
            is_free, unlocked = False, True
        if unlocked:
            removable.append(path)
        all_free = all_free and is_free
    return removable, [*(leftovers(folder) if all_free else _abandoned(folder))]


def _abandoned(folder: Path) -> Iterator[Path]:
    """What programs left that were killed so long ago that it cannot be in use."""
    for path in leftovers(folder):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                yield path


def _read_head(file: BinaryIO) -> dict[str, Any] | None:
    """What is known of the array in a file; None if the file is damaged. Raises: OSError."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - FOOTER_BYTES, 0))
    footer = file.read()
    length = int.from_bytes(footer[32 : -len(MAGIC)], "little")
    if not footer.endswith(MAGIC) or not 0 < length <= size - FOOTER_BYTES:
        return None
    file.seek(size - FOOTER_BYTES - length)
    content = file.read(length)
    if hashlib.sha256(content).digest() != footer[:32]:
        return None
    head: dict[str, Any] = json.loads(content)
    bytes_of_array = head["count"] * np.dtype(head["dtype"]).itemsize
    whole = size == bytes_of_array + length + FOOTER_BYTES
    return head if whole and head["samples"] == _sampled(file, bytes_of_array) else None


def _sampled(file: BinaryIO, size: int) -> str:
    """The SHA-256 of blocks that are spread evenly over the first bytes of a file."""
    digest = hashlib.sha256()
    for number in range(SAMPLES):
        file.seek(max(size - SAMPLE_BYTES, 0) * number // (SAMPLES - 1))
        digest.update(file.read(min(SAMPLE_BYTES, size)))
    return digest.hexdigest()
