"""Describes each fault of a config in one line: its origin, key, value and allowed values."""

import re
import reprlib
from typing import Any, get_args

from pydantic_core import ErrorDetails

from charrnn.config.names import Section, sections_of, settings_like
from charrnn.config.schema import Schema, in_words, schema_of, settings
from charrnn.config.settings import Config
from charrnn.config.values import MAX_COUNT
from charrnn.keywords import KEYWORDS
from charrnn.wording import either, nearest, setting

# pydantic's errors on numbers and booleans of another type, or out of bounds
TYPES_AND_BOUNDS = ("bool_", "float_", "int_", "greater_", "less_", "finite_")
COMMAND_LINE = "the command line"  # the origin of what has an option of its own
PLAIN = re.compile(r"-?[\w.+]{1,40}")  # a value that needs no quotes

# what a value should be, by the type of pydantic's error, where its own words are of Python
EXPECTED = {"list_type": "a list", "string_type": "a string"}


def describe(detail: ErrorDetails, origins: dict[str, str]) -> str:
    """Describes a fault; `origins` says which file or option set a dotted key."""
    kind, value = detail["type"], detail["input"]
    path, sections = _walk(detail["loc"])
    dotted = ".".join(path)
    where = _origin(path, origins)
    if kind == "extra_forbidden":
        _, parents = _walk(detail["loc"][:-1])
        known = list(parents[0].model_fields) if len(parents) == 1 else []
        if choices := [choice for key, choice, _ in settings() if key == dotted and choice]:
            other = f"{where}: {dotted!r} is a key of {either(choices)}, not of {_tag(parents[0])}"
            return f"{other}; known: {', '.join(known)}."
        return f"{where}: unknown key {dotted!r}; {_instead_of(dotted, known)}"
    if kind == "missing":
        return f"{where}: {dotted!r} is missing."
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    options = _options(detail.get("ctx", {}).get("expected") or "")
    suggested = "{!r}"
    if kind == "union_tag_invalid":
        value, dotted = value["name"], f"{dotted}.name"
        where = origins.get(dotted, where)
        message = f"should be one of {detail['ctx']['expected_tags']}"
        options = _options(detail["ctx"]["expected_tags"])
    elif kind.startswith(TYPES_AND_BOUNDS) and (schema := schema_of(path)):
        typed = where == COMMAND_LINE and dotted in KEYWORDS.values()
        message = f"should be {_expected(schema, detail, typed)}"
    elif kind in EXPECTED:
        message = f"should be {EXPECTED[kind]}"
    elif sections:
        choose = len(sections) > 1
        options = list(map(_tag, sections)) if choose else []
        suggested = f"`{dotted}.name={{}}`"
        keys = ["name"] if choose else list(sections[0].model_fields)
        message = f"should be a section with the key{'s' * (not choose)} {', '.join(keys)}"
    guess = nearest(value, options) if isinstance(value, str) else None
    remedy = f"; did you mean {suggested.format(guess)}?" if guess else "."
    if isinstance(value, str) and value.lower() == "none" and _takes_null(path):
        remedy = "; did you mean null?"
    if where == COMMAND_LINE and dotted in KEYWORDS.values():
        return f"{_as_typed(dotted, value)} {message}{remedy}"
    return f"{where}: {dotted} = {shown(value)} {message}{remedy}"


def _expected(schema: Schema, detail: ErrorDetails, typed: bool) -> str:
    """What a number or a boolean should be; as an option, which is left out, it is never null."""
    if detail.get("ctx", {}).get("le") == MAX_COUNT:
        return f"at most {MAX_COUNT:,}"
    if typed and "anyOf" in schema:
        schema = {"anyOf": [one for one in schema["anyOf"] if one.get("type") != "null"]}
    words = in_words(schema)
    finite = detail["type"] == "finite_number"
    return words.replace("a number", "a finite number", 1) if finite else words


def _as_typed(dotted: str, value: Any) -> str:
    """A setting and its value, to be shown as an option."""
    text = str(value) if isinstance(value, str | float) else shown(value)
    if PLAIN.fullmatch(text):
        return f"`{dotted}={text}`"
    return setting(dotted, shown(value).strip("'\""))


def _origin(path: list[str], origins: dict[str, str]) -> str:
    """Where a key was set; an item of a list where the list was."""
    for length in range(len(path), 0, -1):
        if (dotted := ".".join(path[:length])) in origins:
            return origins[dotted]
    return "the config"


def _instead_of(unknown: str, known: list[str]) -> str:
    """What may be meant by an unknown key, or the keys of its section."""
    guesses = settings_like(unknown, known)
    return f"did you mean {' or '.join(guesses)}?" if guesses else f"known: {', '.join(known)}."


def _options(listed: str) -> list[str]:
    """The names that pydantic lists: 'a', 'b' or 'c'."""
    return listed.replace("'", "").replace(" or ", ", ").split(", ") if listed else []


def shown(value: Any) -> str:
    """A short form of the value; Python refuses to print integers with thousands of digits."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()  # as YAML spells it
    try:
        return reprlib.repr(value)
    except ValueError:
        return "an integer with thousands of digits"


def _walk(location: tuple[int | str, ...]) -> tuple[list[str], list[Section]]:
    """The keys of an error's location, without pydantic's names of choices.

    Returns:
        The keys, and the section that they lead to; several if one of them is to be chosen, none
        if they lead to a value.
    """
    path: list[str] = []
    sections: list[Section] = [Config]
    for part in map(str, location):
        if len(sections) > 1 and (chosen := [one for one in sections if _tag(one) == part]):
            sections = chosen
            continue
        path.append(part)
        field = sections[0].model_fields.get(part) if len(sections) == 1 else None
        sections = sections_of(field.annotation) if field else []
    return path, sections


def _takes_null(path: list[str]) -> bool:
    """Whether a setting may be null."""
    _, sections = _walk(tuple(path[:-1]))
    fields = [section.model_fields.get(path[-1]) for section in sections]
    return any(field and type(None) in get_args(field.annotation) for field in fields)


def _tag(section: Section) -> str:
    return str(get_args(section.model_fields["name"].annotation)[0])
