"""The JSON schema of config files, in which any section or key may be left out."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from charrnn.config.comments import default_comments, default_values
from charrnn.config.settings import Config
from charrnn.config.values import MAX_COUNT
from charrnn.wording import either

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"  # which editors know
# pydantic writes bounds on what a validator of its own converts under their Python names
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


@cache
def config_schema() -> Schema:
    """What a config file may contain, as far as a JSON schema can say it.

    It cannot say what depends on two settings or on this machine: `data.encoding` has to be known,
    `training.stride` at most `training.window`, `model.extend_vocabulary` needs
    `model.init_from`, a run needs a limit, and a file has to fit the bounds of `bounds`. Numbers
    and booleans in quotes, which are read as if they had none, it refuses.
    """
    schema = Config.model_json_schema()
    definitions = schema.pop("$defs")
    section = _section(schema, definitions, default_values(), "")
    return {"$schema": DRAFT, "title": "A config of charrnn"} | section


def _node(node: Schema, definitions: dict[str, Schema], default: Any, key: str) -> Schema:
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    if "oneOf" in node:
        return _choice(node, definitions, default, key)
    if "properties" in node:
        return _section(node, definitions, default, key)
    found: Schema = _constraints(node) | {"default": default}
    description = default_comments().get(key) or node.get("description")
    return ({"description": description} if description else {}) | found


def _constraints(node: Any) -> Any:
    """A schema of a value without pydantic's names and titles."""
    if isinstance(node, list):
        return [_constraints(item) for item in node]
    if not isinstance(node, dict):
        return node
    generated = {"description", "default", *([] if "pattern" in node else ["title"])}
    return {
        BOUNDS.get(name, name): _constraints(value)
        for name, value in node.items()
        if name not in generated
    }


def _section(
    node: Schema, definitions: dict[str, Schema], defaults: dict[str, Any], key: str
) -> Schema:
    prefix = f"{key}." if key else ""
    return {
        "description": node["description"],
        "type": ["object", "null"],
        "properties": {
            name: _node(one, definitions, defaults.get(name, one.get("default")), prefix + name)
            for name, one in node["properties"].items()
        },
        "additionalProperties": False,
    }


def _choice(
    node: Schema, definitions: dict[str, Schema], defaults: dict[str, Any], key: str
) -> Schema:
    """A section with a `name` that decides on its keys; without it, it is the default one."""
    choices = []
    for reference in node["oneOf"]:
        variant = definitions[reference["$ref"].rpartition("/")[2]]
        name = variant["properties"]["name"]["const"]
        default = name == defaults["name"]
        section = _section(variant, definitions, defaults if default else {"name": name}, key)
        section |= {"title": name, "type": "object"} | ({} if default else {"required": ["name"]})
        choices.append(section)
    return {
        "description": node["description"],
        "default": defaults["name"],
        "anyOf": [*choices, {"type": "null"}],
    }


def settings() -> Iterator[tuple[str, str | None, Schema]]:
    """Each setting: its dotted key, the name of the choice that has it, and its schema."""
    yield from _settings(config_schema(), "", None)


def _settings(
    node: Schema, prefix: str, choice: str | None
) -> Iterator[tuple[str, str | None, Schema]]:
    for name, one in node["properties"].items():
        key = prefix + name
        if "properties" in one:
            yield from _settings(one, f"{key}.", choice)
        elif variants := [two for two in one.get("anyOf", []) if "properties" in two]:
            for variant in variants:
                yield from _settings(variant, f"{key}.", variant["title"])
        else:
            yield key, choice, one


def schema_of(path: list[str]) -> Schema | None:
    """The schema of a setting, which may be one of several of its name; None for anything else."""
    dotted = ".".join(path)
    return next((schema for key, _, schema in settings() if key == dotted), None)


def in_words(schema: Schema) -> str:
    """What a value should be: `a whole number from 1 to 16`."""
    if "anyOf" in schema:
        return either(dict.fromkeys(in_words(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return either(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "title" in schema:
        return str(schema["title"])
    kind = schema["type"]
    if kind == "array":
        return f"a list, each item {in_words(schema['items'])}"
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    word = words.get(kind, {"string": "a string", "null": "null"}.get(kind, kind))
    return f"{word} {_range(schema)}".strip()


def _range(schema: Schema) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    start = f"from {low:,}" if low is not None else f"above {above:,}" if above is not None else ""
    if high is not None and high != MAX_COUNT:
        return f"{start}{' to' if low is not None else ', at most'} {high:,.15g}"
    if below is not None:
        return f"{start} to below {below:,}"
    return f"of at least {low:,}" if low is not None else start
