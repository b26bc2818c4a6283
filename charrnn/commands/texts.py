"""Lists the texts that have names and those whose ids are stored; downloads and removes them."""

import os
from contextlib import suppress
from pathlib import Path

from charrnn.config.text_lists import TextSource
from charrnn.errors import InputError, UsageError
from charrnn.results import ClearedTexts, NamedText, StoredText, TextList, TextState
from charrnn.setup.named_texts import (
    cache_of_texts,
    known_texts,
    own_texts,
    path_of,
    saved_as,
    source_of,
    text_names,
)
from charrnn.system.array_files import array_folder, removable_files, unfinished_files
from charrnn.system.cache import known_sha256_of
from charrnn.system.resources import own_list, text_resources
from charrnn.text.text_versions import StoredIds, forget_removed, texts_stored
from charrnn.wording import call, nearest, pluralize, word

BUNDLED = {
    "farrow-quay": "56 short scenes in a harbour town, the text of the default config",
    "place-names": "1,041 names of places, one per line, the text of the config names",
}
MAX_LISTED = 3  # entries that an error names
LEFTOVERS = ("", ".part", ".lock")  # what a download leaves, by what is added to its name


def list_texts() -> TextList:
    """Lists the texts that have names; nothing is downloaded.

    Raises:
        UsageError: The user's own list cannot be used.
        InputError: A download cannot be read.
    """
    own = own_list()
    texts = [_bundled(name) for name in text_resources()]
    sources = known_texts() | own_texts()
    texts += [_described(name, source) for name, source in sources.items()]
    return TextList(
        tuple(texts),
        str(cache_of_texts()),
        str(own),
        own.is_file(),
        str(array_folder()),
        tuple(_described_ids(text, _size_of(text.files)) for text in texts_stored()),
        _size_of(unfinished_files()),
    )


def fetch_text(name: str) -> NamedText:
    """Downloads the text of a name, unless it is there.

    Raises:
        UsageError: There is none of that name, the user's own list cannot be used, or the library
            for downloads is missing.
        InputError: It cannot be downloaded, or its download cannot be read.
    """
    _require_name(name)
    path_of(name)
    return _bundled(name) if name in text_resources() else _described(name, source_of(name))


def clear_texts(name: str | None = None) -> ClearedTexts:
    """Removes downloads, what is left of some that were cut off, and stored ids.

    Args:
        name: The name of a text, or the path of one whose ids are stored; None for all of them.

    Raises:
        UsageError: There is none of that name or path, it is bundled, or the user's own list
            cannot be used.
    """
    names, stored = _chosen(name)
    remove = _Removal()
    removed = {text: sum(map(remove, _downloaded(text))) for text in names}
    ids = [(text, sum(map(remove, text.files))) for text in stored]
    unfinished = 0
    if name is None:
        others, left = removable_files()
        unfinished = sum(map(remove, left))
        for file in others:
            remove(file)
    else:
        forget_removed()
    return ClearedTexts(
        tuple(text for text, size in removed.items() if size),
        sum(removed.values()),
        tuple(_described_ids(text, size) for text, size in ids if size),
        unfinished,
        tuple(remove.kept),
    )


def _chosen(name: str | None) -> tuple[list[str], list[StoredIds]]:
    """The names of downloads to remove, and the texts whose ids to remove. Raises: UsageError."""
    all_stored = texts_stored()
    if name is None:
        return [*known_texts(), *own_texts()], all_stored
    if name in text_resources():
        raise UsageError(f"{name} is bundled, not downloaded.", "name a text that is downloaded.")
    names = [name] if name in text_names() else []
    path = str(saved_as(name)) if names else os.path.abspath(name)
    stored = [text for text in all_stored if path in text.paths]
    if not (names or stored):
        guess = nearest(name, [*text_names(), *(text.path for text in all_stored)])
        raise UsageError(
            f"{name!r} is neither the name of a text nor the path of one whose ids are stored.",
            f"did you mean {word(guess)}?" if guess else f"{call('texts')} lists them.",
        )
    return names, stored


def require_all_removed(cleared: ClearedTexts) -> None:
    """Raises InputError if something could not be removed."""
    if cleared.kept:
        listed = "; ".join(cleared.kept[:MAX_LISTED])
        more = len(cleared.kept) - MAX_LISTED
        raise InputError(
            f"{pluralize(len(cleared.kept), 'file')} in the cache cannot be removed: "
            f"{listed}{f'; and {more:,} more' if more > 0 else ''}.",
            "end the programs that may use them, or remove them by hand.",
        )


class _Removal:
    """Removes files, and goes on if one cannot be removed."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def __call__(self, path: Path) -> int:
        """Removes a file; returns how many bytes it had, 0 if it stays or was not there."""
        try:
            size = path.lstat().st_size
            path.unlink()
            return size
        except FileNotFoundError:
            return 0
        except OSError as error:
            self.kept.append(f"{path} ({error.strerror})")
            return 0


def _downloaded(name: str) -> list[Path]:
    return [Path(f"{saved_as(name)}{ending}") for ending in LEFTOVERS]


def _described_ids(text: StoredIds, size: int) -> StoredText:
    return StoredText(text.path, size, text.others, not os.path.exists(text.path))


def _size_of(files: list[Path]) -> int:
    size = 0
    for path in files:
        with suppress(OSError):  # it was removed meanwhile
            size += path.stat().st_size
    return size


def _bundled(name: str) -> NamedText:
    path = text_resources()[name]
    return NamedText(
        name, TextState.BUNDLED, str(path), path.stat().st_size, None, BUNDLED.get(name, ""),
        licence="MIT", source="",
    )  # fmt: skip


def _described(name: str, source: TextSource) -> NamedText:
    path = saved_as(name)
    found = known_sha256_of(path)
    state = TextState.DOWNLOADED if found == source.sha256 else TextState.DAMAGED
    return NamedText(
        name,
        state if found else TextState.MISSING,
        str(path),
        path.stat().st_size if found else None,
        source.max_bytes,
        source.description,
        source.licence,
        source.source,
        source.url,
        source.sha256,
        own=name not in known_texts(),
    )


def _require_name(name: str) -> None:
    """Raises UsageError if no text has this name."""
    names = text_names()
    if name not in names:
        guess = nearest(name, names)
        raise UsageError(
            f"there is no text of the name {name!r}.",
            f"did you mean {word(guess)}?" if guess else f"{call('texts')} lists them.",
        )
