"""Bounds on the size of a config, wherever it comes from, before it is validated."""

from typing import Any

MAX_DEPTH = 8  # nested sections and lists; the settings need four levels
MAX_VALUES = 20_000  # including keys; data.text may list many files
MAX_VALUE_LENGTH = 4096  # characters; the longest values are paths
MAX_CHARACTERS = 1 << 20  # of all keys and values together


class Bounds:
    """Counts what a config contains; every method raises ValueError when it is too much."""

    def __init__(self) -> None:
        self._depth = self._values = self._characters = 0

    def begin(self) -> None:
        """Counts a section or a list that begins."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
        self.value("")

    def end(self) -> None:
        """Counts its end."""
        self._depth -= 1

    def value(self, written: str) -> None:
        """Counts a key or a value."""
        self._values += 1
        self._characters += len(written)
        if self._values > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES:,} values")
        if len(written) > MAX_VALUE_LENGTH:
            raise ValueError(f"it has a value of {len(written):,} characters")
        if self._characters > MAX_CHARACTERS:
            raise ValueError(f"its values have more than {MAX_CHARACTERS:,} characters")


def require_bounded(values: Any) -> None:
    """Raises ValueError for plain values that are too many, too long or too deeply nested."""
    _count(values, Bounds())


def _count(value: Any, bounds: Bounds) -> None:
    if not isinstance(value, dict | list | tuple):
        bounds.value(value if isinstance(value, str) else "")
        return
    bounds.begin()
    for key in value if isinstance(value, dict) else ():
        bounds.value(str(key))
    for item in value.values() if isinstance(value, dict) else value:
        _count(item, bounds)
    bounds.end()
