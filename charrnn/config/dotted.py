"""Configs as plain nested values, and the dotted keys of their settings."""

from collections.abc import Iterator
from typing import Any

Layer = dict[str, Any]


def merge(base: Layer, change: Layer) -> Layer:
    """Applies `change` to `base`; a section with another `name` replaces the old one entirely."""
    if "name" in base and base["name"] != change.get("name", base["name"]):
        return change
    merged = dict(base)
    for key, value in change.items():
        if value is None and isinstance(base.get(key), dict):
            continue  # a section of which every line is a comment
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


def nested(settings: dict[str, Any]) -> Layer:
    """Values by dotted keys as a layer: {"model.layers": 2} is {"model": {"layers": 2}}."""
    layer: Layer = {}
    for dotted, value in settings.items():
        for key in reversed(dotted.split(".")):
            value = {key: value}
        layer = merge(layer, value)
    return layer


def values_of(layer: Layer, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values, each with its dotted key."""
    for key, value in layer.items():
        if isinstance(value, dict):
            yield from values_of(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def keys_of(layer: Layer, prefix: str = "") -> list[str]:
    """The dotted keys of sections and values."""
    keys = []
    for key, value in layer.items():
        keys.append(prefix + key)
        if isinstance(value, dict):
            keys += keys_of(value, f"{prefix}{key}.")
    return keys
