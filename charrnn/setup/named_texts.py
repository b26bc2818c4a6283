"""Texts by name: the bundled ones, known ones, and those of the user's own list."""

import os
from functools import cache
from pathlib import Path
from typing import overload

from charrnn.config.text_lists import NAME, TextSource, load_texts
from charrnn.errors import UsageError
from charrnn.system.cache import cache_folder, known_sha256_of
from charrnn.system.downloads import download
from charrnn.system.remote import Remote
from charrnn.system.resources import (
    TEXTS_VARIABLE,
    config_paths,
    known_texts_path,
    own_list,
    text_resources,
)
from charrnn.text.sources import String


@cache
def known_texts() -> dict[str, TextSource]:
    """The texts that can be downloaded, by name."""
    return load_texts(known_texts_path(), [*text_resources(), *config_paths()])


def own_texts() -> dict[str, TextSource]:
    """The texts of the user's own list, by name.

    Raises:
        UsageError: The list cannot be used, or there is none where CHARRNN_TEXTS says.
    """
    path = own_list()
    if not path.is_file():
        if os.environ.get(TEXTS_VARIABLE):
            raise UsageError(
                f"there is no list of texts {path}.",
                f"the environment variable {TEXTS_VARIABLE} names it.",
            )
        return {}
    return load_texts(path, [*text_resources(), *known_texts(), *config_paths()])


def text_names() -> list[str]:
    """The names of all texts. Raises: UsageError."""
    return [*text_resources(), *known_texts(), *own_texts()]


def is_name(path: str) -> bool:
    """Whether this is the name of a text; a file or a directory of that name takes precedence.

    Raises:
        UsageError: The user's own list cannot be used.
    """
    if not NAME.fullmatch(path) or Path(path).exists():
        return False
    return path in text_resources() or path in known_texts() or path in own_texts()


def source_of(name: str) -> TextSource:
    """Where the text of a name can be downloaded. Raises: KeyError, UsageError."""
    return known_texts().get(name) or own_texts()[name]


def cache_of_texts() -> Path:
    """The folder of downloaded texts."""
    return cache_folder() / "texts"


def saved_as(name: str) -> Path:
    """Where the text of a name is saved."""
    return cache_of_texts() / f"{name}.txt"


@overload
def located(paths: list[str]) -> list[str]: ...
@overload
def located(paths: list[str] | String) -> list[str] | String: ...
def located(paths: list[str] | String) -> list[str] | String:
    """The paths of texts that are given by path or name; a missing one is downloaded.

    A text that is a string is returned as it is.

    Raises:
        InputError: A text cannot be downloaded.
        UsageError: The user's own list cannot be used, or the library for downloads is missing.
    """
    if isinstance(paths, String):
        return paths
    return [str(path_of(path)) if is_name(path) else path for path in paths]


def path_of(name: str) -> Path:
    """The file of the text of this name; see `located`."""
    if name in text_resources():
        return text_resources()[name]
    source, path = source_of(name), saved_as(name)
    if known_sha256_of(path) != source.sha256:
        own = name not in known_texts()
        download(Remote(name, source.url, source.sha256, source.max_bytes, path, own))
    return path
