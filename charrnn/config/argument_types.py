"""Checks the types of the arguments of the library's functions."""

import inspect
import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, wraps
from os import PathLike
from types import NoneType
from typing import Any, Literal, TypeVar, Unpack, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from charrnn.errors import UsageError
from charrnn.wording import either, nearest

F = TypeVar("F", bound=Callable[..., Any])
STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)
WORDS: dict[object, tuple[str, str]] = {  # one, and several
    bool: ("True or False", "booleans"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a string", "strings"),
    PathLike: ("a path", "paths"),
    Mapping: ("a dict with strings as keys", "dicts"),
    Callable: ("a function", "functions"),
}


def checked(function: F) -> F:
    """A function that refuses arguments of other types than it is annotated with.

    Numbers of NumPy become those of Python. Settings in `**keywords` are left to the config; of
    other keywords the names are checked too.
    """
    signature = inspect.signature(function)
    others = {p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD}

    @wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        try:
            bound = signature.bind(*args, **keywords)
        except TypeError:
            return function(*args, **keywords)  # whose message names the function
        adapters = _adapters(function)
        for name in others - {"keywords"}:
            _check(bound.arguments.get(name, {}), adapters)
        _check(bound.arguments, adapters, {"self", *others})
        return function(*bound.args, **bound.kwargs)

    return call  # type: ignore[return-value]


def _check(given: dict[str, Any], adapters: Mapping[str, Any], but: Collection[str] = ()) -> None:
    """Checks arguments, and replaces the numbers of NumPy among them. Raises: UsageError."""
    for name, value in given.items():
        if name in but:
            continue
        if name not in adapters:
            raise unknown_argument(name, adapters)
        annotation, adapter = adapters[name]
        given[name] = plain = _plain(value)
        try:
            adapter.validate_python(plain)
        except ValidationError:
            shown = reprlib.repr(value).replace("`", "'")
            raise UsageError(f"`{name}` is {shown}, not {_described(annotation)}.") from None


def unknown_argument(name: str, known: Collection[str], hint: str | None = None) -> UsageError:
    """The error for an argument that a function lacks; the hint is for a name like none of them."""
    guess = nearest(name, known, 0.75)
    return UsageError(
        f"there is no argument {name!r}.", f"did you mean {guess!r}?" if guess else hint
    )


@cache
def _adapters(function: Callable[..., Any]) -> dict[str, tuple[object, TypeAdapter[Any]]]:
    """The annotation of each argument, and what checks it."""
    hints = get_type_hints(function)
    hints.pop("return", None)
    for name in [name for name, hint in hints.items() if get_origin(hint) is Unpack]:
        hints |= get_type_hints(*get_args(hints.pop(name)))
    return {name: (hint, TypeAdapter(hint, config=STRICT)) for name, hint in hints.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value
    return value.tolist() if hasattr(value, "tolist") else value


def _described(annotation: object, several: bool = False) -> str:
    """What a value of a type is, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return either(map(repr, inner))
    if origin is Sequence:
        return f"a list of {_described(inner[0], several=True)}"
    if inner and origin not in WORDS:
        options = [one for one in inner if one is not NoneType]
        return either(dict.fromkeys(_described(one, several) for one in options))
    one = WORDS.get(origin or annotation)
    name = getattr(annotation, "__name__", str(annotation))
    return one[several] if one else f"{name}s" if several else f"a {name}"
