"""The user's cache of downloaded files, each identified by its SHA-256."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import platformdirs

from charrnn.errors import InputError

VARIABLE = "CHARRNN_CACHE"


def cache_folder() -> Path:
    """The folder of downloads: that of CHARRNN_CACHE, or the platform's place for caches."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen or platformdirs.user_cache_path("charrnn", appauthor=False)).absolute()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file. Raises: OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_sha256_of(path: Path) -> str | None:
    """The same, read again only if the file's size, time or number has changed; None for no file.

    Raises:
        InputError: It cannot be read.
    """
    try:
        if not path.is_file():
            return None
        status = path.stat()
        return _remembered(path, status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.",
            f"make it readable, or set the environment variable {VARIABLE} to another folder.",
        ) from None


@lru_cache(maxsize=64)
def _remembered(path: Path, size: int, modified: int, number: int) -> str:
    return sha256_of(path)
