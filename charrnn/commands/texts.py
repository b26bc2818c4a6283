"""Lists the texts that have names and those whose ids are stored; downloads and removes them."""

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
from charrnn.system.array_files import array_folder, facts_of, remove_rest, stored_files
from charrnn.system.cache import known_sha256_of
from charrnn.system.resources import own_list, text_resources
from charrnn.wording import call, nearest, word

BUNDLED = {
    "farrow-quay": "56 short scenes in a harbour town, the text of the default config",
    "place-names": "1,041 names of places, one per line, the text of the config names",
}
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
        _stored_texts(stored_files()),
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
        name: The text; None for all of them, and all texts whose ids are stored.

    Raises:
        UsageError: There is none of that name, it is bundled, or the user's own list cannot be
            used.
        InputError: A file cannot be removed.
    """
    if name is not None:
        _require_name(name)
    if name in text_resources():
        raise UsageError(f"{name} is bundled, not downloaded.", "name a text that is downloaded.")
    removed, size = [], 0
    for text in [name] if name else [*known_texts(), *own_texts()]:
        for ending in LEFTOVERS:
            path = Path(f"{saved_as(text)}{ending}")
            try:
                if path.is_file():
                    size += path.stat().st_size
                    path.unlink()
                    removed.append(text)
            except OSError as error:
                raise _kept(error, path) from None
    return ClearedTexts(tuple(dict.fromkeys(removed)), size, _clear_ids(name))


def _clear_ids(name: str | None) -> tuple[StoredText, ...]:
    """Removes the stored ids of a text, or of all. Raises: InputError."""
    files = stored_files()
    if name is not None:
        files = [path for path in files if _label_of(path) == str(saved_as(name))]
    found = _stored_texts(files)
    try:
        for path in files:
            path.unlink()
        if name is None:
            remove_rest()
    except OSError as error:
        raise _kept(error, array_folder()) from None
    return found


def _stored_texts(files: list[Path]) -> tuple[StoredText, ...]:
    sizes: dict[str, int] = {}
    for path in files:
        with suppress(OSError):  # it was removed meanwhile
            label = _label_of(path)
            sizes[label] = sizes.get(label, 0) + path.stat().st_size
    return tuple(StoredText(label, size) for label, size in sorted(sizes.items()))


def _label_of(path: Path) -> str:
    """The first file of the text that stored ids are of; their own file if that is damaged."""
    facts = facts_of(path)
    return str(path if facts is None else facts["label"])


def _kept(error: OSError, path: Path) -> InputError:
    return InputError(f"{error.filename or path} cannot be removed: {error.strerror}.")


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
    names = text_names()
    if name not in names:
        guess = nearest(name, names)
        raise UsageError(
            f"there is no text of the name {name!r}.",
            f"did you mean {word(guess)}?" if guess else f"{call('texts')} lists them.",
        )
