"""A console that turns what is printed on it into HTML: tables, paragraphs and headings."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from markupsafe import Markup
from rich.console import Console, RenderableType
from rich.style import Style, StyleType
from rich.table import Table
from rich.text import Text

from charrnn.report.page_source import fragments
from charrnn.report.terminal import UNLIMITED, printing_on
from charrnn.system.escaping import drawable

COLORS = ("red", "green", "yellow", "blue", "cyan")  # each a class of the style sheet


class HtmlConsole(Console):
    """Keeps tables and texts as HTML, in the order in which they are printed."""

    def __init__(self) -> None:
        super().__init__(
            file=StringIO(), width=UNLIMITED, highlight=False, emoji=False, color_system=None
        )
        self.parts: list[Markup] = []

    def print(self, *objects: Any, style: StyleType | None = None, **_: Any) -> None:
        """Keeps each object as HTML."""
        for item in objects:
            if isinstance(item, Table):
                self.parts.append(self._table(item))
                continue
            bold = bool(style and self.get_style(style).bold)
            words = self._pieces(item if isinstance(item, Text) else Text(str(item)))
            self.parts.append(fragments().line(words, bold))

    def _table(self, table: Table) -> Markup:
        columns = [
            {
                "heading": self._cell(column.header),
                "look": _classes(column.justify == "right" and "number", self._look(column.style)),
                "cells": [self._cell(cell) for cell in column.cells],
            }
            for column in table.columns
        ]
        title = self._cell(table.title or "")
        html: Markup = fragments().table(title, columns, table.show_header)
        return html

    def _cell(self, cell: RenderableType) -> list[tuple[str, str]]:
        if isinstance(cell, str):
            cell = self.render_str(cell)
        return self._pieces(cell if isinstance(cell, Text) else Text(str(cell)))

    def _pieces(self, text: Text) -> list[tuple[str, str]]:
        """Pieces of a text, each with the classes of its style."""
        return [
            (drawable(segment.text), self._look(segment.style or text.style))
            for segment in text.render(self)
            if segment.text
        ]

    def _look(self, style: StyleType | None) -> str:
        found = self.get_style(style) if style else Style.null()
        color = found.color.name.removeprefix("bright_") if found.color else ""
        return _classes(
            found.bold and "strong", found.dim and "quiet", color if color in COLORS else ""
        )


def _classes(*names: object) -> str:
    return " ".join(str(name) for name in names if name)


def printed(show: Callable[[], None]) -> Markup:
    """What a function prints as a result, as HTML."""
    console = HtmlConsole()
    with printing_on(console):
        show()
    return Markup("").join(console.parts)
