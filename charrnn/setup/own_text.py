"""The texts that a checkpoint names as its own: anyone may have written it, and named any file."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from charrnn.config.settings import Config
from charrnn.config.text_lists import NAME
from charrnn.errors import InputError, UsageError
from charrnn.setup.named_texts import known_texts, saved_as
from charrnn.setup.wiring import decoding_of, selection_of
from charrnn.system.resources import own_list, text_resources
from charrnn.text.file_text import LongerText
from charrnn.text.reading import Reading, read_text
from charrnn.text.sources import STDIN, String
from charrnn.text.stored_ids import capacity
from charrnn.text.text import TextMark
from charrnn.wording import pluralize

Announce = Callable[[str], object]


def announce_own_text(
    file: str | Path, paths: Iterable[str], announce: Announce, hint: str = "give one as `text`."
) -> None:
    """Says which files that a checkpoint names are read next, unless all are in this folder.

    Args:
        file: The checkpoint.
        paths: The files.
        announce: Called with the note; not for bundled and known texts, nor if these files and the
            checkpoint are in the current folder.
        hint: What to do if the text was standard input.

    Raises:
        InputError: One of them is a pipe or a device, whose reading may never end, or a name of a
            text that is in no list.
        UsageError: One of them is standard input, which is gone.
    """
    paths = [*paths]
    if STDIN in paths:
        raise UsageError(f"{file} was trained from standard input or a string.", hint)
    for path in map(Path, paths):
        if NAME.fullmatch(str(path)) and not path.exists():
            raise InputError(
                f"{file} was trained on the text {str(path)!r}, a name that is not known here.",
                f"add it to {own_list()}, or name the text yourself.",
            )
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(
                f"{file} names {str(path)!r} as its text, which is neither a file nor a directory.",
                "name the text yourself.",
            )
    known = {*map(str, text_resources().values()), *map(str, map(saved_as, known_texts()))}
    outside = [path for path in paths if path not in known]
    if _is_here(file):
        outside = [path for path in outside if not _is_here(path)]
    if outside:
        more = f" and {len(outside) - 1:,} more" if outside[1:] else ""
        announce(f"reading {outside[0]}{more}, which {file} names as its text.")


class AnotherText(InputError):
    """A text is not the one that a checkpoint names."""


def read_own(paths: list[str] | String, config: Config, mark: TextMark, whose: str) -> Reading:
    """Reads a text that should be the one with this mark, and no further than that one went.

    Args:
        paths: The text.
        config: How it is decoded, and which files of directories are read.
        mark: What identifies the text that it should be.
        whose: What messages call that text.

    Raises:
        InputError: The text is unusable.
        AnotherText: It is longer.
    """
    if mark.size > capacity():
        raise InputError(
            f"{whose} has {mark.size:,} characters, more than this machine's memory and the free "
            "space for their ids."
        )
    try:
        return read_text(paths, decoding_of(config), selection_of(config), mark.size)
    except LongerText:
        raise AnotherText(
            f"{named(paths)} has more than the {mark.size:,} characters of {whose}."
        ) from None


def mark_difference(found: TextMark, wanted: TextMark) -> str | None:
    """How a text differs from the one that it should be; None if it does not."""
    if found.size != wanted.size:
        return f"it has {pluralize(found.size, 'character')}, not {wanted.size:,}"
    if found.digest != wanted.digest:
        return f"its SHA-256 is {found.digest[:12]}…, not {wanted.digest[:12]}…"
    return None


def require_own(paths: list[str] | String, found: TextMark, wanted: TextMark, whose: str) -> None:
    """Raises AnotherText if a text is not the one that it should be."""
    if differs := mark_difference(found, wanted):
        raise AnotherText(f"{named(paths)} is not {whose}: {differs}.")


def named(paths: list[str] | String) -> str:
    """The files of a text, as messages name them."""
    return str(paths) if isinstance(paths, String) else ", ".join(paths)


def _is_here(path: str | Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(Path(os.getcwd()).resolve())
    except (OSError, RuntimeError):
        return False
