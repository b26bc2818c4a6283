"""From YAML files, --set and flags to one checked Config, with all faults said at once."""

import os
import reprlib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from charrnn.config.faults import describe
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.system.escaping import CONTINUED
from charrnn.system.resources import config_paths
from charrnn.wording import nearest

Layer = dict[str, Any]

LARGEST = 1 << 20  # bytes of a file
DEEPEST = 8  # levels of sections and lists; the settings need four
MOST_VALUES = 20_000  # keys among them; a text may be many files
LONGEST_VALUE = 4096  # characters, as of a path
MOST_FAULTS = 20  # that are told


def load_config(
    path: str | None,
    assignments: list[str],
    flags: Layer,
    base: tuple[str, Layer] = ("", {}),
) -> Config:
    """The default config, changed by `base`, the file `path`, `key.path=value` and flags, in turn.

    base: an origin and what it says.
    Raises: UsageError with every fault in it.
    """
    layers = [("the default config", _read(config_paths()["default"]))]
    layers.append(base)
    if path is not None:
        layers.append((path, _read(find_config(path))))
    layers.append(("`set`", _from_assignments(assignments)))
    layers.append(("the command line", flags))
    merged: Layer = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        merged = _merge(merged, layer)
        origins.update(dict.fromkeys(_keys(layer), origin))
    return check_config(merged, origins)


def check_config(values: Layer, origins: dict[str, str] | None = None) -> Config:
    """A Config from plain values; `origins` says where a key's value came from."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults = [describe(detail, origins or {}) for detail in details[:MOST_FAULTS]]
        if len(details) > MOST_FAULTS:
            faults.append(f"and {len(details) - MOST_FAULTS:,} more faults.")
        raise UsageError(CONTINUED.join(faults)) from None


def changed(config: Config, flags: Layer) -> Config:
    """The config with values of the command line in place of its own. Raises: UsageError."""
    origins = dict.fromkeys(_keys(flags), "the command line")
    return check_config(_merge(config.model_dump(), flags), origins)


def dump_config(config: Config) -> str:
    """The resolved config as YAML, itself a valid config file."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def find_config(path: str) -> Path:
    """The file itself, or the config of that name that comes with the program."""
    known = config_paths()
    try:
        pipe = Path(path).is_fifo()
        if pipe and not os.path.abspath(path).startswith(("/dev/", "/proc/")):
            raise UsageError(  # nobody may ever write to it, unlike to one that a shell has made
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
        f"{path!r} is neither a file nor a config that comes along.",
        f"did you mean -c {guess}?"
        if guess
        else f"configs that come with the program: {', '.join(known)}.",
    )


def _read(path: Path) -> Layer:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        loaded = _parse(content)
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} is no readable YAML file: {error}.") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(
            f"{path} holds no mapping of settings.", "start with a section such as 'model:'."
        )
    return loaded


def _from_assignments(assignments: list[str]) -> Layer:
    layer: Layer = {}
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        *sections, key = dotted.strip().split(".")
        if not equals or not key:
            raise UsageError(
                f"the setting {assignment!r} is not of the form key.path=value.",
                "for example `model.hidden_size=256`",
            )
        try:
            value = _parse(text)
        except ValueError:
            value = text  # whatever it is, it is shown as it was typed
        for section in reversed(sections):
            key, value = section, {key: value}
        layer = _merge(layer, {key: value})
    return layer


def _parse(content: bytes | str) -> Any:
    """Plain values from YAML. Raises: ValueError with what is wrong in one line."""
    try:
        _check_size(content)
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        _check_keys(node)
        return None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from None


def _check_size(content: bytes | str) -> None:
    """Raises ValueError for what makes a small file huge, endless or more than plain values."""
    depth = 0
    for number, event in enumerate(yaml.parse(content, Loader=yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has an alias (*name); write the value out")
        tagged = isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag
        if tagged:
            raise ValueError(f"it has a tag ({reprlib.repr(tagged)}); write plain values")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"it nests deeper than {DEEPEST} levels")
        if number > MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES:,} values")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_VALUE:
            raise ValueError(f"it has a value of {len(event.value):,} characters")


def _check_keys(node: yaml.Node | None) -> None:
    """Raises ValueError for what YAML would pass over: a key twice, a key that is no text."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise ValueError(
                    f"the key {key.value!r} is no text; put it in quotes if it is meant so"
                )
            if key.value in seen:
                raise ValueError(f"the key {key.value!r} stands there twice")
            seen.add(key.value)
            _check_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item)


def _merge(base: Layer, change: Layer) -> Layer:
    """`change` over `base`; a mapping that names another choice replaces the former one whole."""
    if "name" in base and base["name"] != change.get("name", base["name"]):
        return change
    merged = dict(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merge(base[key], value) if both else value
    return merged


def _keys(layer: Layer, prefix: str = "") -> list[str]:
    keys = []
    for key, value in layer.items():
        keys.append(prefix + key)
        if isinstance(value, dict):
            keys += _keys(value, f"{prefix}{key}.")
    return keys
