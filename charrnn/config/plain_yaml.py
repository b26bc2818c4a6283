"""Reads YAML of plain values, as people mean them: 010 is ten, and 1:30:30 is no number."""

import re
import reprlib
import sys
from typing import Any

import yaml

from charrnn.config.bounds import Bounds

TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Knows no octal, binary or sexagesimal numbers and no dates, but 1_000 and 0x1F."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as in the base class


class _Dumper(yaml.SafeDumper):
    """Quotes every string that this loader or one of YAML 1.1 would read as something else."""


for kind, form, first in (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]*|0x[0-9a-fA-F]+", tuple("-+0123456789")),
    (
        "float",
        r"[-+]?(?:[0-9][0-9_]*\.?|\.[0-9])[0-9_]*(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        tuple("-+0123456789."),
    ),
):
    for reader_or_writer in (_Loader, _Dumper):
        reader_or_writer.add_implicit_resolver(TAG + kind, re.compile(rf"^(?:{form})$"), first)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(node.value.replace("_", ""), 16 if "x" in node.value else 10)


_Loader.add_constructor(TAG + "int", _integer)


def _string(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    # a line separator such as U+0085 would be folded into a space
    return dumper.represent_scalar(TAG + "str", value, style=None if value.isprintable() else '"')


_Dumper.add_representer(str, _string)


def parse(content: bytes | str) -> Any:
    """Parses YAML into plain values.

    Raises:
        ValueError: It is not YAML, or has more than plain values; the message is one line.
    """
    try:
        _check_size(content)
        loader = _Loader(content)
        node = loader.get_single_node()
        _check_keys(node)
        return None if node is None else loader.construct_document(node)
    except yaml.scanner.ScannerError as error:
        if error.context != "while scanning an alias":
            raise ValueError(_in_a_line(error)) from None
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"line {line} has a * without quotes; write '*.txt'") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(_in_a_line(error)) from None


def _in_a_line(error: Exception) -> str:
    """What a parser's error says and where, without the lines that it quotes."""
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark):
        said = ", ".join(filter(None, (error.context, error.problem)))
        return f"line {mark.line + 1}, column {mark.column + 1}: {said}"
    return re.sub(r' in "<\w+ string>", position', " at position", " ".join(str(error).split()))


def dump(values: Any) -> str:
    """Plain values as YAML, which `parse` reads as the same values."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)


def _check_size(content: bytes | str) -> None:
    """Raises ValueError for aliases, tags, deep nesting, and too many or too long values."""
    bounds = Bounds()
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):  # nested aliases expand exponentially
            raise ValueError("it has an alias (*name); write out the value")
        tagged = isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag
        if tagged:
            raise ValueError(f"it has a tag ({reprlib.repr(tagged)}); write plain values")
        if isinstance(event, yaml.CollectionStartEvent):
            bounds.begin()
        elif isinstance(event, yaml.CollectionEndEvent):
            bounds.end()
        elif isinstance(event, yaml.ScalarEvent):
            bounds.value(event.value)


def _check_keys(node: yaml.Node | None) -> None:
    """Raises ValueError for repeated keys and keys that are not strings; YAML accepts both."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError("it has a list or a mapping as a key")
            if key.tag != "tag:yaml.org,2002:str":
                raise ValueError(
                    f"the key {key.value!r} is not a string; quote it if it is meant to be one"
                )
            if key.value in seen:
                raise ValueError(f"the key {key.value!r} appears twice")
            seen.add(key.value)
            _check_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item)
