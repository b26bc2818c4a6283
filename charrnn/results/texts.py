"""Results about texts that have names."""

from dataclasses import dataclass
from enum import StrEnum

from charrnn.results.display import Displayed


class TextState(StrEnum):
    """Where the file of a text is."""

    BUNDLED = "bundled"
    DOWNLOADED = "downloaded"
    MISSING = "not downloaded"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class NamedText:
    """A text that can be given by name.

    Attributes:
        name: The name.
        state: Where its file is; a damaged one has another SHA-256, and is downloaded again.
        path: Its file, or where it is saved once it is downloaded.
        bytes: The size of its file; None if there is none.
        max_bytes: The most bytes that its download reads; None for a bundled text.
        description, licence, source: About it, each in a line; empty if not known.
        url: The address of its download; None for a bundled text.
        sha256: The SHA-256 of its file; None for a bundled text.
        own: Whether it is from the user's own list.
    """

    name: str
    state: TextState
    path: str
    bytes: int | None
    max_bytes: int | None
    description: str
    licence: str
    source: str
    url: str | None = None
    sha256: str | None = None
    own: bool = False


@dataclass(frozen=True)
class StoredText:
    """A large text whose ids are stored.

    Attributes:
        path: Its first file or directory.
        bytes: The bytes of its ids, with those of earlier versions that are still in use.
        others: How many more files and directories it has.
        missing: Whether its first file or directory no longer exists.
    """

    path: str
    bytes: int
    others: int = 0
    missing: bool = False


@dataclass(frozen=True)
class TextList(Displayed):
    """The texts that have names.

    Attributes:
        texts: The bundled ones, then the known ones, then those of the user's own list.
        cache: The folder of downloads.
        own_list: The path of the user's own list.
        own_list_found: Whether there is one.
        ids: The folder of the ids of large texts.
        stored: The texts whose ids are there.
        unfinished: The bytes of ids that are being stored, or that a killed program left.
    """

    texts: tuple[NamedText, ...]
    cache: str
    own_list: str
    own_list_found: bool
    ids: str
    stored: tuple[StoredText, ...]
    unfinished: int


@dataclass(frozen=True)
class ClearedTexts:
    """What was removed from the cache.

    Attributes:
        removed: The names of the texts whose downloads were removed.
        bytes: The bytes of these.
        stored: The texts whose stored ids were removed, each with their bytes.
        unfinished: The bytes that were removed of ids that killed programs left.
        kept: What could not be removed, each with the reason.
    """

    removed: tuple[str, ...]
    bytes: int
    stored: tuple[StoredText, ...]
    unfinished: int
    kept: tuple[str, ...]
