"""What the shell completes: configs, runs, texts, keys and their values; needs no NumPy."""

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from charrnn.keywords import KEYWORDS
from charrnn.system.files import open_regular
from charrnn.system.resources import (
    config_paths,
    known_texts_path,
    own_list,
    schema_path,
    text_resources,
)

Completer = Callable[[str], list[str]]

# names that a shell takes as they are; others are left to its own completion of file names
PLAIN = re.compile(r"[\w./,+@%][\w./,+@%=-]*")
MAX_SECONDS = 0.5  # of looking through a folder
MAX_OFFERED = 2000
CHECKPOINT = ".safetensors"
YAML = (".yaml", ".yml")
ENTRY = re.compile(r"^([A-Za-z0-9][\w-]*):", re.M)  # of a list of texts
MAX_LIST_BYTES = 1 << 20
RUNS = "runs"  # where new runs are by default


def configs(incomplete: str) -> list[str]:
    """Built-in configs and YAML files."""
    return _matching(
        incomplete, config_paths(), _files(incomplete, lambda entry: entry.name.endswith(YAML))
    )


def runs(incomplete: str) -> list[str]:
    """Run directories, those in runs/ first, and checkpoints."""
    usual = _files(f"{RUNS}/", _is_run) if RUNS.startswith(incomplete) else ()
    return _matching(incomplete, usual, _files(incomplete, _is_run_or_checkpoint))


def folders(incomplete: str) -> list[str]:
    """Folders, of runs or anything else."""
    return _matching(incomplete, _files(incomplete, _is_folder))


def models(incomplete: str) -> list[str]:
    """Runs, checkpoints and configs."""
    return _matching(incomplete, runs(incomplete), configs(incomplete))


def texts(incomplete: str) -> list[str]:
    """Texts by name, with the files beside them; without any, the shell completes files itself."""
    named = named_texts(incomplete)
    folders = (f"{name}/" for name in _files(incomplete, _is_folder))
    return named and _matching(incomplete, named, _files(incomplete, _is_file), folders)


def named_texts(incomplete: str) -> list[str]:
    """The bundled texts, the known ones, and those of the user's own list."""
    return _matching(incomplete, text_resources(), *map(_entries, (known_texts_path(), own_list())))


def subjects(incomplete: str) -> list[str]:
    """All that can be inspected."""
    return _matching(incomplete, models(incomplete), texts(incomplete))


def choice_of(*names: str) -> Completer:
    """Completes one of these names."""
    return lambda incomplete: _matching(incomplete, names)


def setting(keyword: str) -> Completer:
    """Completes the value of a setting with an option of its own, if it has names to choose."""
    return lambda incomplete: _matching(incomplete, _values(KEYWORDS[keyword]))


def assignments(incomplete: str) -> list[str]:
    """Keys, as far as their `=`, then the values that a key may have."""
    key, equals, _ = incomplete.partition("=")
    if equals:
        values = _values(key) or _defaults(key)
        return _matching(incomplete, (f"{key}={value}" for value in values))
    found = _matching(incomplete, (f"{key}=" for key in _settings()))
    if len(found) == 1:  # with its values beside it, a shell adds no space
        found += assignments(found[0])
    return found


def _matching(incomplete: str, *candidates: Iterable[str]) -> list[str]:
    """The plain names among the candidates that begin like this, each once."""
    found: dict[str, None] = {}
    for several in candidates:
        for name in several:
            if name.startswith(incomplete) and PLAIN.fullmatch(name) and name.isprintable():
                found[name] = None
            if len(found) == MAX_OFFERED:
                return list(found)
    return list(found)


def _files(incomplete: str, wanted: Callable[["os.DirEntry[str]"], bool]) -> list[str]:
    """The wanted files and folders that begin like this."""
    folder, _, name = incomplete.rpartition("/")
    folder = f"{folder}/" if "/" in incomplete else ""
    found = []
    end = time.monotonic() + MAX_SECONDS
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                if time.monotonic() > end:
                    break
                hidden = entry.name.startswith(".") and not name.startswith(".")
                if entry.name.startswith(name) and not hidden and wanted(entry):
                    found.append(f"{folder}{entry.name}")
    except OSError:
        return []
    return sorted(found)


def _entries(path: Path) -> list[str]:
    """The names in a list of texts, which only looks like YAML here."""
    try:
        with open_regular(path) as file:
            return ENTRY.findall(file.read(MAX_LIST_BYTES).decode(errors="replace"))
    except OSError:
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: "os.DirEntry[str]") -> bool:
    return not _is_folder(entry)


def _is_run(entry: "os.DirEntry[str]") -> bool:
    return _is_folder(entry) and os.path.exists(os.path.join(entry.path, "checkpoints"))


def _is_run_or_checkpoint(entry: "os.DirEntry[str]") -> bool:
    return entry.name.endswith(CHECKPOINT) or _is_run(entry)


def _settings() -> dict[str, list[dict[str, Any]]]:
    """The schemas of each setting, by its dotted key; several of one that choices have."""
    with schema_path().open(encoding="utf-8") as file:
        schema = json.load(file)
    found: dict[str, list[dict[str, Any]]] = {}
    for key, one in _leaves(schema, ""):
        found.setdefault(key, []).append(one)
    return found


def _leaves(schema: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in schema.get("properties", {}).items():
        sections = [two for two in (one, *one.get("anyOf", ())) if "properties" in two]
        for section in sections:
            yield from _leaves(section, f"{prefix}{name}.")
        if not sections:
            yield prefix + name, one


def _values(key: str) -> list[str]:
    """The names to choose from, or true and false."""
    found: list[str] = []
    for schema in _settings().get(key, ()):
        for one in (schema, *schema.get("anyOf", ())):
            found += one.get("enum", [one["const"]] if "const" in one else [])
            found += ["true", "false"] if one.get("type") == "boolean" else []
    return list(dict.fromkeys(found))


def _defaults(key: str) -> list[str]:
    values = (schema["default"] for schema in _settings().get(key, ()))
    return [value if isinstance(value, str) else json.dumps(value) for value in values]
