"""Results that a notebook shows as HTML, if a renderer is set; they cannot import `report/`."""

from collections.abc import Callable
from typing import Protocol

LONGEST = 1000  # characters of a result where a notebook shows it as text

Renderer = Callable[[object], str]
_renderer: Renderer | None = None


def show_with(renderer: Renderer | None) -> None:
    """Sets what renders results as HTML; None to show them by their repr."""
    global _renderer
    _renderer = renderer


class Printer(Protocol):
    """What IPython prints an object with."""

    def text(self, text: str, /) -> None:
        """Prints a text."""


class Displayed:
    """A result that a notebook shows as HTML, and otherwise as its repr."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return _renderer(self) if _renderer else None

    def _repr_pretty_(self, printer: Printer, cycle: bool) -> None:
        shown = repr(self)  # which a notebook file stores beside the HTML
        printer.text(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…")
