"""Builds one validated Config from YAML files, assignments and flags."""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from charrnn.config.bounds import MAX_DEPTH, MAX_VALUE_LENGTH, require_bounded
from charrnn.config.comments import default_values
from charrnn.config.dotted import Layer, keys_of, merge, nested, values_of
from charrnn.config.faults import COMMAND_LINE, describe
from charrnn.config.plain_yaml import dump, parse
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.system.escaping import CONTINUED
from charrnn.system.resources import config_paths
from charrnn.wording import nearest

LOG = logging.getLogger(__name__)

DEFAULT = "the default config"

YAML = (".yaml", ".yml")
NOT_A_TEXT = "a config is a YAML file; if this is a text, give it without `config`."

MAX_FILE_BYTES = 1 << 20
MAX_REPORTED_FAULTS = 20


def load_config(
    path: str | Layer | None,
    assignments: list[str],
    flags: Layer,
    base: tuple[str, Layer] = ("", {}),
) -> Config:
    """Loads the default config, changed in turn by a base, a file, assignments and flags.

    Args:
        path: A YAML file, the name of a built-in config, or plain values.
        assignments: Changes as `key.path=value`.
        flags: Changes from the command line.
        base: An origin to name in messages, and its changes, applied before the file.

    Raises:
        UsageError: A file cannot be read, or settings are invalid; all are reported together.
    """
    return load_with_origins(path, assignments, flags, base)[0]


def load_with_origins(
    path: str | Layer | None,
    assignments: list[str],
    flags: Layer,
    base: tuple[str, Layer] = ("", {}),
) -> tuple[Config, dict[str, str]]:
    """Loads a config like `load_config`, and where each value comes from, by its dotted key."""
    layers = [(DEFAULT, default_values())]
    layers.append(base)
    if isinstance(path, str):
        file = find_config(path)
        if file != config_paths()["default"]:  # whose values a parent may replace
            layers.append((path, read_mapping(file)))
    elif path is not None:
        layers.append(("`config`", path))
    assigned, faults = _from_assignments(assignments)
    given = keys_of(assigned)  # a limit that is a flag unsets those of configs only
    flags = nested({k: v for k, v in values_of(flags) if v is not None or k not in given})
    layers.append(("`settings`", assigned))
    layers.append((COMMAND_LINE, flags))
    merged: Layer = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        origins.update(dict.fromkeys(keys_of(layer), origin))
    # what a command sets is one layer: the optimizer of a flag keeps the rate of an assignment
    for layer in [*(layer for _, layer in layers[:-2]), merge(assigned, flags)]:
        merged = merge(merged, layer)
    config = check_config(merged, origins, faults)
    LOG.info(f"config: {', then '.join(origin for origin, layer in layers if layer)}")
    set_keys = set(keys_of(merged))  # the others are defaults of an optimizer or a schedule
    values = config_values(config)
    for key in keys_of(values):
        if key not in set_keys:
            origins[key] = f"default of {values[key.partition('.')[0]].get('name')}"
    return config, origins


def assigned_keys(assignments: list[str], flags: Layer) -> list[str]:
    """The dotted keys of the values that these assignments and flags set."""
    return [key for key, _ in values_of(merge(_from_assignments(assignments)[0], flags))]


def assigns(assignments: list[str], key: str, flags: Layer | None = None) -> bool:
    """Whether one of these assignments or flags sets a dotted key."""
    return key in keys_given(assignments, flags or {})


def keys_given(assignments: list[str], flags: Layer) -> set[str]:
    """The dotted keys that assignments set, and those that flags set to a value."""
    values = {
        section: {key: value for key, value in layer.items() if value is not None}
        for section, layer in flags.items()
    }
    return {*keys_of(merge(_from_assignments(assignments)[0], values))}


def changes(assignments: list[str], flags: Layer) -> list[str]:
    """What assignments and flags change, to be named in a message."""
    values = [f"{section}.{key}" for section, keys in flags.items() for key in keys]
    return [*assignments, *(f"`{name}`" for name in values)]


def check_config(
    values: Layer, origins: dict[str, str] | None = None, faults: Iterable[str] = ()
) -> Config:
    """Validates plain values.

    Args:
        values: The sections of a config, complete.
        origins: Where the value of a dotted key came from, for messages.
        faults: Faults found before, which are reported with those of the values.

    Raises:
        UsageError: There are faults, or the values are too many or too long.
    """
    found = list(faults)
    try:
        require_bounded(values)
    except ValueError as error:
        raise UsageError(
            f"the config is too large: {error}.", "to read many files, name their directory."
        ) from None
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found += [describe(detail, origins or {}) for detail in details[:MAX_REPORTED_FAULTS]]
        if len(details) > MAX_REPORTED_FAULTS:
            found.append(f"and {len(details) - MAX_REPORTED_FAULTS:,} more faults.")
    if found:
        raise UsageError(CONTINUED.join(found))
    return config


def value_of(config: Config, dotted: str) -> Any:
    """The value of a dotted key; None if the section has no such setting."""
    value: Any = config
    for key in dotted.split("."):
        value = getattr(value, key, None)
    return value


def changed(config: Config, flags: Layer, origin: str = COMMAND_LINE) -> Config:
    """The config with changes, of which messages name the origin. Raises: UsageError."""
    origins = dict.fromkeys(keys_of(flags), origin)
    return check_config(merge(config.model_dump(), flags), origins)


def config_values(config: Config) -> Layer:
    """The sections of a config as plain values."""
    return config.model_dump(mode="json")


def dump_config(config: Config) -> str:
    """The config as YAML, itself a valid config file."""
    return dump(config_values(config))


def yaml_lines(values: Layer, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The lines of a config as YAML, each with the dotted key whose value begins in it, or ""."""
    for key, value in values.items():
        indent, dotted = "  " * prefix.count("."), prefix + key
        if isinstance(value, dict):
            yield f"{indent}{key}:", ""
            yield from yaml_lines(value, f"{dotted}.")
        else:
            for number, line in enumerate(dump({key: value}).splitlines()):
                yield indent + line, "" if number else dotted


def find_config(path: str) -> Path:
    """The path of a config file, or of the built-in config of that name. Raises: UsageError."""
    known = config_paths()
    try:
        pipe = Path(path).is_fifo()
        if pipe and not os.path.abspath(path).startswith(("/dev/", "/proc/")):
            raise UsageError(  # opening it may block forever; a shell's <(command) has a writer
                f"the config {path!r} is a named pipe.", "pass a pipe as -c <(command)."
            )
        if pipe or Path(path).is_file():
            return Path(path)
    except OSError as error:
        raise UsageError(f"the config {path!r} cannot be read: {error.strerror}.") from None
    if path in known:
        return known[path]
    guess = nearest(Path(path).stem, known)
    raise UsageError(
        f"{path!r} is neither a file nor a built-in config.",
        f"did you mean {guess!r}?" if guess else f"built-in configs: {', '.join(known)}.",
    )


def read_mapping(
    path: Path, example: str = "model:", other_suffix: str | None = NOT_A_TEXT
) -> Layer:
    """Reads a YAML file of sections.

    Args:
        path: The file.
        example: How such a file may start, for messages.
        other_suffix: The hint for a file that is none and is not called so either.

    Raises:
        UsageError: It cannot be read, or is something else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"it has more than {MAX_FILE_BYTES:,} bytes")
        loaded = parse(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        hint = None if path.suffix in YAML else other_suffix
        raise UsageError(f"{path} is not a readable YAML file: {error}.", hint) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        section = f"start with a section such as '{example}'."
        hint = section if path.suffix in YAML else other_suffix
        raise UsageError(f"{path} is not a mapping of settings.", hint)
    return loaded


def _from_assignments(assignments: list[str]) -> tuple[Layer, list[str]]:
    """The values of `key.path=value` as a layer, and faults of those of another form."""
    layer: Layer = {}
    faults: list[str] = []
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not keys[-1]:
            faults.append(
                f"`settings`: {assignment!r} is not of the form key.path=value, such as "
                "model.hidden_size=256."
            )
            continue
        if len(keys) > MAX_DEPTH or len(assignment) > MAX_VALUE_LENGTH:
            what = "is too long" if len(assignment) > MAX_VALUE_LENGTH else "has too many sections"
            faults.append(f"`settings`: {assignment!r} {what}.")
            continue
        try:
            value = parse(text)
        except ValueError:
            value = text  # not YAML: taken as typed
        layer = merge(layer, nested({dotted.strip(): value}))
    return layer, faults
