"""What a text is that a function or a method is given; docs/library.md has the rule."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

from charrnn.errors import InputError, UsageError
from charrnn.text.sources import String, missing_file

Text = str | PathLike[str] | Sequence[str | PathLike[str]]


def text_or_paths(text: Text | None) -> list[str] | String:
    """A text as functions take it: a string of one line is a path, of several the text itself.

    Raises:
        UsageError: It is an empty list, or has a text instead of a path.
    """
    if isinstance(text, str):
        return String(text) if _has_lines(text) else [text]
    return _paths(text)


@contextmanager
def path_meant(text: Text | None) -> Iterator[None]:
    """Says of a string that names no file that a text itself has a line break."""
    try:
        yield
    except InputError as error:
        if isinstance(text, str) and str(error) == str(missing_file(os.path.abspath(text))):
            hint = "a string of one line is a path; a text itself has a line break, '\\n'."
            raise InputError(str(error), hint) from None
        raise


def text_itself(text: Text) -> list[str] | String:
    """A text as methods of a model take it: a string is the text itself.

    Raises:
        UsageError: It looks like the name of a file, or is a list of strings.
    """
    if not isinstance(text, str):
        if any(isinstance(one, str) for one in _listed(text)):
            raise UsageError(
                "`text` is a list of strings.",
                "give one string, which is the text itself; or files as `pathlib.Path`.",
            )
        return _paths(text)
    if not _has_lines(text) and {"/", "."} & {*text} and os.path.isfile(text):
        raise UsageError(
            f"{text!r} is the text itself here, but there is a file of this name.",
            f"to read the file, give Path({text!r}).",
        )
    return String(text)


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def _listed(text: Any) -> list[Any]:
    return [*text] if isinstance(text, list | tuple) else [text]


def _paths(text: Text | None) -> list[str]:
    if text is None:
        return []
    paths = []
    for path in _listed(text):
        paths.append(fspath(path))
        if _has_lines(str(path)):
            raise UsageError(
                "`text` is a list of paths, and one of them has several lines.",
                "join texts to one string, such as with '\\n'.join(texts).",
            )
    if not paths:
        raise UsageError("`text` is an empty list.", "give the paths of files.")
    return paths
