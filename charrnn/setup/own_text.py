"""The texts that a checkpoint names as its own: anyone may have written it, and named any file."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from charrnn.config.settings import Config
from charrnn.errors import InputError
from charrnn.setup.wiring import text_paths
from charrnn.system.resources import text_resources
from charrnn.text.sources import STDIN

Announce = Callable[[str], object]


def own_text_paths(file: str | Path, config: Config) -> list[str]:
    """The files that a checkpoint was trained on, to be read again.

    Raises:
        InputError: One of them is a pipe or a device, whose reading may never end.
    """
    paths = text_paths(config)
    require_files(file, paths)
    return paths


def require_files(file: str | Path, paths: Iterable[str]) -> None:
    """Raises InputError if a path that a checkpoint names is a pipe or a device."""
    for path in paths:
        named = Path(path)
        special = named.exists() and not (named.is_file() or named.is_dir())
        if path != STDIN and special:
            raise InputError(
                f"{file} names {path!r} as its text, which is neither a file nor a directory.",
                "name the text yourself.",
            )


def announce_own_text(file: str | Path, paths: Iterable[str], announce: Announce) -> None:
    """Says which files are read, unless these and the checkpoint are in the current folder."""
    bundled = {str(path) for path in text_resources().values()}
    outside = [path for path in paths if path != STDIN and path not in bundled]
    if _is_here(file):
        outside = [path for path in outside if not _is_here(path)]
    if outside:
        more = f" and {len(outside) - 1:,} more" if outside[1:] else ""
        announce(f"reading {outside[0]}{more}, which {file} names as its text.")


def _is_here(path: str | Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(Path(os.getcwd()).resolve())
    except (OSError, RuntimeError):
        return False
