"""Pieces of messages: plurals, sizes, suggestions, commands."""

import json
from collections.abc import Iterable
from difflib import get_close_matches


def pluralize(number: int, noun: str) -> str:
    """A count with its noun: 1 character, 1,200 characters."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_size(size: float) -> str:
    """Bytes as 80 kB, 12.3 MB or 4.5 GB."""
    if size < 1e5:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"


def rough_duration(seconds: float) -> str:
    """A duration as 40 s, 3 minutes or 5 hours."""
    if seconds < 100:
        return f"{float(f'{seconds:.1g}' if seconds < 10 else f'{seconds:.2g}'):.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:,.0f} hours"


def decimal(value: float) -> str:
    """A number with four digits after the point, or in scientific notation if that is too long."""
    return f"{value + 0.0:.4f}" if not value or 1e-3 <= abs(value) < 1e6 else f"{value:.3e}"


def activation_name(name: str) -> str:
    """The name of an activation as a text spells it."""
    return "ReLU" if name == "relu" else name


def layer_sizes(layers: int, hidden_size: int) -> str:
    """The recurrent layers of a network: H = 384, or 2 layers of H = 256."""
    size = f"H = {hidden_size}"
    return size if layers == 1 else f"{layers} layers of {size}"


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known name closest to `name`; None if none is similar."""
    close = get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def either(options: Iterable[str]) -> str:
    """The options as a sentence lists them: `a, b or c`."""
    *others, last = options
    return f"{', '.join(others)} or {last}" if others else last


def call(command: str, *arguments: str, **settings: str) -> str:
    """A command to suggest in a message, as a call in backquotes: `train("-", resume="runs/a")`.

    The command line renders it as its own words.
    """
    values = [_quoted(argument) for argument in arguments]
    values += [f"{name}={_quoted(value)}" for name, value in settings.items()]
    return f"`{command}({', '.join(values)})`"


def as_typed(value: object) -> str:
    """A value of a setting as people type it: 5e+09, not 5000000000.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting(name: str, value: str) -> str:
    """A setting with a value that a user gave, in backquotes: `plot="a b.png"`."""
    return f"`{name}={_quoted(value)}`"


def word(value: str) -> str:
    """A path as a word of a command to paste, in backquotes: `"runs/a b"`."""
    return f"`{_quoted(value)}`"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("`", r"\u0060")
