"""Describes each fault of a config in one line: its origin, key, value and allowed values."""

import reprlib
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from charrnn.config.settings import Config
from charrnn.wording import nearest


def describe(detail: ErrorDetails, origins: dict[str, str]) -> str:
    """Describes a fault; `origins` says which file or option set a dotted key."""
    path, _ = _walk(detail["loc"])
    dotted = ".".join(path)
    where = origins.get(dotted, "the config")
    if detail["type"] == "extra_forbidden":
        _, section = _walk(detail["loc"][:-1])
        known = list(section.model_fields) if section else []
        guess = nearest(path[-1], known)
        remedy = f"did you mean {guess!r}?" if guess else f"known: {', '.join(known)}."
        return f"{where}: unknown key {dotted!r}; {remedy}"
    if detail["type"] == "missing":
        return f"{where}: {dotted!r} is missing."
    value, message = detail["input"], detail["msg"]
    allowed = detail.get("ctx", {}).get("expected") or ""
    if detail["type"] == "union_tag_invalid":
        value, dotted = value["name"], f"{dotted}.name"
        where = origins.get(dotted, where)
        allowed = detail["ctx"]["expected_tags"]
        message = f"should be one of {allowed}"
    choices = str(allowed).replace("'", "").replace(" or ", ", ").split(", ")
    guess = nearest(value, choices) if isinstance(value, str) else None
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return f"{where}: {dotted} = {_shown(value)} {message}" + (
        f"; did you mean {guess!r}?" if guess else "."
    )


def _shown(value: Any) -> str:
    """A short form of the value; Python refuses to print integers with thousands of digits."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()  # as YAML spells it
    try:
        return reprlib.repr(value)
    except ValueError:
        return "an integer with thousands of digits"


def _walk(location: tuple[int | str, ...]) -> tuple[list[str], type[BaseModel] | None]:
    """The keys of a location, without pydantic's union tags, and its section."""
    path: list[str] = []
    section: type[BaseModel] | None = Config
    choices: dict[str, type[BaseModel]] = {}
    for part in map(str, location):
        if part in choices:
            section, choices = choices[part], {}
            continue
        path.append(part)
        field = section.model_fields.get(part) if section else None
        annotation: Any = field.annotation if field else None
        section = annotation if _is_section(annotation) else None
        choices = {_tag(member): member for member in get_args(annotation) if _is_section(member)}
    return path, section


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tag(section: type[BaseModel]) -> str:
    return str(get_args(section.model_fields["name"].annotation)[0])
