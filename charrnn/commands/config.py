"""Describes a config: its values, where each comes from, and what differs from the default."""

from collections.abc import Collection, Iterable
from typing import Any

from charrnn.commands.arguments import check_arguments
from charrnn.config.comments import default_values, summary
from charrnn.config.dotted import Layer
from charrnn.config.faults import COMMAND_LINE
from charrnn.config.layers import (
    DEFAULT,
    check_config,
    config_values,
    load_with_origins,
    yaml_lines,
)
from charrnn.config.schema import config_schema
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.keywords import KEYWORDS, LIMITS
from charrnn.results import DescribedConfig
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.parent import configure_with_origins
from charrnn.setup.paths import Kind, find_checkpoint, kind_of
from charrnn.system.resources import config_paths

__all__ = ["built_in_configs", "config_schema", "describe_config"]


def built_in_configs() -> dict[str, str]:
    """What each built-in config is for, by its name."""
    return {name: summary(name) for name in config_paths()}


def describe_config(
    source: str | None,
    config_path: str | None,
    assignments: list[str],
    flags: Layer,
    changed: bool = False,
) -> DescribedConfig:
    """Describes a config, or that of a run.

    Args:
        source: A built-in config, a YAML file, a run directory or a checkpoint.
        config_path: A built-in config or a YAML file, if `source` is not given; the default config
            if neither is.
        assignments: Changes of the config, as `key.path=value`.
        flags: Changes of the config, as a layer.
        changed: Whether to leave out what is as in the default config.

    Raises:
        UsageError: The config is at fault.
        InputError: The checkpoint, or that of `model.init_from`, is unusable.
    """
    if source is not None and config_path is not None:
        raise UsageError(
            f"{source} and the config {config_path} are both given.", "choose one of them."
        )
    if source is not None and kind_of(source) in (Kind.RUN, Kind.CHECKPOINT):
        config, origins = load_with_origins(None, assignments, flags, _own_config(source))
    else:
        path = config_path if source is None else source
        check_arguments(path, assignments, flags.get("data", {}).get("text", []))
        config, origins, _ = configure_with_origins(path, assignments, flags)
    given = _flat(flags)
    return described(config, {key: _origin(origins[key], key, given) for key in origins}, changed)


def described(
    config: Config, origins: dict[str, str], changed: bool, kept: Iterable[str] = ()
) -> DescribedConfig:
    """Describes a config whose values come from `origins`.

    Args:
        config: The config.
        origins: Where the value of each dotted key comes from.
        changed: Whether to leave out what is as in the default config.
        kept: Dotted keys that are not left out.
    """
    values, default = config_values(config), config_values(check_config(default_values()))
    own, usual = _flat(values), _flat(default)
    differs = {key: usual.get(key) for key, value in own.items() if value != usual.get(key, {})}
    if changed:
        values = _only(values, {*differs, *kept})
    return DescribedConfig(
        config=values,
        origins={key: origins[key] for key in _flat(values)},
        defaults=differs,
        lines=tuple(yaml_lines(values)),
    )


def _own_config(path: str) -> tuple[str, Layer]:
    """The config that a run or a checkpoint was trained with."""
    _, config = load_checkpoint(find_checkpoint(path))
    return path, config_values(config)


def _origin(origin: str, key: str, flags: dict[str, Any]) -> str:
    if origin == COMMAND_LINE:  # a limit replaces the other ones
        limit = next((one for one in LIMITS if flags.get(KEYWORDS[one]) is not None), None)
        key = KEYWORDS[limit] if limit and flags.get(key) is None else key
        return f"`{key}`"
    return "default" if origin == DEFAULT else origin


def _flat(values: Layer, prefix: str = "") -> dict[str, Any]:
    """The values by their dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if inner else {prefix + key: value}
    return flat


def _only(values: Layer, keys: Collection[str], prefix: str = "") -> Layer:
    """The values of some keys; all of a section that has another name, which replaces it."""
    if f"{prefix}name" in keys:
        return values
    kept = {}
    for key, value in values.items():
        if isinstance(value, dict):
            if inner := _only(value, keys, f"{prefix}{key}."):
                kept[key] = inner
        elif prefix + key in keys:
            kept[key] = value
    return kept
