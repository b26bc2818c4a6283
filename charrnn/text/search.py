"""Finds strings and items in a text that is never one string."""

from collections.abc import Iterator

from charrnn.text.text import CHUNK_CHARACTERS, Text


def find(text: Text, passage: str) -> int | None:
    """Where a passage first occurs in a text; None if it does not."""
    size = max(CHUNK_CHARACTERS, len(passage))
    whole = Text(text.characters, text.ids)
    for start in range(0, len(text), size):
        found = str(whole[start : start + size + len(passage) - 1]).find(passage)
        if found >= 0:
            return start + found
    return None


def items_of(text: Text, delimiter: str) -> Iterator[str]:
    """The lines or documents of a text that are not empty."""
    begun: list[str] = []
    for chunk in text.chunks():
        first, *others = str(chunk).split(delimiter)
        begun.append(first)
        for other in others:
            if item := "".join(begun):
                yield item
            begun = [other]
    if item := "".join(begun):
        yield item
