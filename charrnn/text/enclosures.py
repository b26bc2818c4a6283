"""Where a text is inside quotes or brackets."""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from charrnn.arrays import Array

BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_OPENING = {closing: opening for opening, closing in BRACKETS.items()}
_BREAK = r"(?P<break>\n[^\S\n]*(?=\n)|\x03)"  # a blank line, or the end of a document
# "<" opens a tag, and is no bracket in "a < b"
_BRACKET = re.compile(rf"[()\[\]{{}}>]|<(?=[A-Za-z/!?])|{_BREAK}")
_DOUBLE_QUOTE = re.compile(rf"[\"“”„«»]|{_BREAK}")
_PARTNERS = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«"}
# words that an apostrophe starts, as an opening quote would
_ELISION = r"(?!(?i:t(?:is|was|were|ill|il|will|would|wixt)|em|ere|gainst|neath|cause|bout|n)\b)"
_SINGLE_QUOTE = re.compile(
    rf"(?P<opens>(?<!\w)(?:‘|'{_ELISION})(?=\S))|(?P<closes>(?<=\S)['’](?!\w))|{_BREAK}"
)


def bracket_depths(text: str) -> dict[str, Array]:
    """How many pairs of each kind of bracket are open after each character.

    A bracket without its partner does not count; nor does one whose partner is past a blank line,
    except for braces, which enclose whole programs.

    Args:
        text: The text, N characters.

    Returns:
        The depths (N,), by the opening bracket.
    """
    pairs: dict[str, list[tuple[int, int]]] = {opening: [] for opening in BRACKETS}
    for opening, start, end in _bracket_pairs(text):
        pairs[opening].append((start, end))
    return {opening: _depth(spans, len(text)) for opening, spans in pairs.items()}


def _bracket_pairs(text: str) -> Iterator[tuple[str, int, int]]:
    """Each opening bracket with its position and that of its partner."""
    stack: list[tuple[str, int]] = []
    open_brackets = dict.fromkeys(BRACKETS, 0)
    for found in _BRACKET.finditer(text):
        bracket = found[0]
        if found["break"] is not None:
            stack = [item for item in stack if item[0] == "{"]
            open_brackets = {"(": 0, "[": 0, "{": len(stack), "<": 0}
        elif bracket in BRACKETS:
            stack.append((bracket, found.start()))
            open_brackets[bracket] += 1
        elif open_brackets[_OPENING[bracket]]:
            opening = None
            while opening != _OPENING[bracket]:  # those without a partner are dropped
                opening, start = stack.pop()
                open_brackets[opening] -= 1
            yield opening, start, found.start()


def inside_double_quotes(text: str) -> Array:
    """Whether a double quote, straight or typographic, is open after each character (N,).

    One that is not closed stays open until the next blank line.
    """
    return _depth(_double_quotes(text), len(text))


def _double_quotes(text: str) -> Iterator[tuple[int, int]]:
    start = None
    for found in _DOUBLE_QUOTE.finditer(text):
        if start is None:
            if found[0] in _PARTNERS:
                start = found.start()
        elif found["break"] is not None or found[0] in _PARTNERS[text[start]]:
            yield start, found.start()
            start = None
    if start is not None:
        yield start, len(text)


def inside_single_quotes(text: str) -> Array:
    """Whether a single quote, straight or typographic, is open after each character (N,).

    It opens before a word and closes after one, and has to be closed before the next blank line:
    everything else is an apostrophe.
    """
    return _depth(_single_quotes(text), len(text))


def _single_quotes(text: str) -> Iterator[tuple[int, int]]:
    start = None
    for found in _SINGLE_QUOTE.finditer(text):
        if found["break"] is not None:
            start = None
        elif found["opens"] is not None:
            start = found.start()
        elif start is not None:
            yield start, found.start()
            start = None


def _depth(spans: Iterable[tuple[int, int]], length: int) -> Array:
    """How many of the spans contain each position (N,), from their start to before their end."""
    changes = np.zeros(length + 1, np.int32)
    for start, end in spans:
        changes[start] += 1
        changes[end] -= 1
    depth: Array = changes[:-1].cumsum()
    return depth
