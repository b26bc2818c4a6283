"""Ids of large texts, in files of the cache that are named by how the ids came about."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.system.array_files import (
    StoredArray,
    array_folder,
    building,
    free_bytes,
    open_array,
    remembered,
    write_array,
)
from charrnn.system.cache import VARIABLE as CACHE_VARIABLE
from charrnn.system.machine import physical_memory
from charrnn.units import in_bytes
from charrnn.wording import format_size

LOG = logging.getLogger(__name__)
VARIABLE = "CHARRNN_MAP_FROM"
MAPPED_FROM = 64e6  # bytes of a text: reading so many takes about a second
FORMAT = 1  # another one when the same files would give other ids
MEMORY_SHARE = 0.75  # of this machine's that ids may take if they cannot be stored


class Origin(NamedTuple):
    """The stretch of a stored array that ids are.

    Attributes:
        name: The name of the array.
        label: The text that it is of, for the user.
        start, stop: Where the stretch is.
        root: The name of the array of the text from which this one was made; or its own.
    """

    name: str
    label: str
    start: int
    stop: int
    root: str


class Contents(NamedTuple):
    """What a stored array will have; see `write_array`."""

    dtype: DTypeLike
    length: int
    chunks: Iterable[Array]
    facts: dict[str, Any]


Ids = tuple[Array, Origin | None]  # None for ids in memory


class CannotStore(Exception):
    """Ids cannot be stored; the message says why."""


def mapped_from() -> float:
    """The number of bytes from which on a text or an array is stored and mapped into memory.

    Raises:
        UsageError: The environment variable has no such number.
    """
    given = os.environ.get(VARIABLE)
    return inf if given == "never" else in_bytes(given or None, VARIABLE) or MAPPED_FROM


def name_of(*parts: object) -> str:
    """The name of what came about in a way that JSON describes."""
    return hashlib.sha256(json.dumps([FORMAT, *parts]).encode()).hexdigest()


def stored(name: str, make: Callable[[], Contents]) -> StoredArray:
    """The array of a name, which is made and written if it is not there.

    Raises:
        CannotStore: It cannot be written.
    """
    try:
        with building(name):
            found = open_array(name)
            if found is None:
                dtype, count, chunks, facts = make()
                LOG.info(f"writing {format_size(count * np.dtype(dtype).itemsize)} of ids")
                write_array(name, dtype, count, chunks, facts)
                found = open_array(name)
    except OSError as error:
        raise CannotStore(f"{array_folder()}: {error.strerror or error}") from None
    if found is None:
        raise CannotStore(f"{array_folder()}: what was written there is lost")
    return found


def stored_ids(origin: Origin) -> Array | None:
    """The ids of a stretch of a stored array; None if it is not there any more."""
    found = open_array(origin.name)
    return None if found is None else found.array[origin.start : origin.stop]


def ids_made(
    source: Origin | None,
    how: list[Any],
    count: int,
    dtype: DTypeLike,
    chunks: Callable[[], Iterable[Array]],
) -> Ids:
    """Ids that are made of others: stored if these are and if they are large, else in memory.

    Args:
        source: Where the ids are from that they are made of.
        how: How they are made, as JSON.
        count: Their number N.
        dtype: Their type.
        chunks: Gives them in order.
    """
    size = count * np.dtype(dtype).itemsize
    if source is not None and size >= mapped_from():
        name = name_of(source.name, source.start, source.stop, *how)
        found = open_array(name)
        try:
            facts = {"label": source.label, "root": source.root}
            found = found or stored(name, lambda: Contents(dtype, count, chunks(), facts))
            if (found.array.dtype, len(found.array)) == (np.dtype(dtype), count):
                return found.array, Origin(name, source.label, 0, count, source.root)
        except CannotStore as error:
            LOG.info(f"ids are kept in memory: {error}")
            require_memory(size, source.label, error)
    ids, start = np.empty(count, dtype), 0
    for chunk in chunks():
        ids[start : start + len(chunk)] = chunk
        start += len(chunk)
    return ids, None


def capacity() -> float:
    """The bytes of ids that fit on this machine: in memory, or in the cache."""
    return max(physical_memory(), 0 if mapped_from() == inf else free_bytes())


def require_memory(size: float, label: str, reason: CannotStore) -> None:
    """Raises InputError if so many bytes of ids do not fit in memory either."""
    if size > MEMORY_SHARE * physical_memory():
        raise InputError(
            f"the ids of {label} take {format_size(size)}, more than this machine's memory allows, "
            f"and cannot be stored in {reason}.",
            f"free some space, or set the environment variable {CACHE_VARIABLE} to another folder.",
        )


def remembered_of(origin: Origin | None, count: int, what: str, compute: Callable[[], Any]) -> Any:
    """What is computed from a stretch of ids, as JSON; kept if they are stored and large.

    count: their number.
    """
    if origin is None or count < mapped_from():
        return compute()
    return remembered(name_of(origin.name, origin.start, origin.stop, what), compute)
