"""Where in its word, line, sentence and paragraph each character of a text is.

The text starts as if after a blank line.
"""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.text.characters import is_in, is_kind, is_letter
from charrnn.text.documents import END_OF_TEXT
from charrnn.text.text import Text

LINE_ENDS = "\n" + END_OF_TEXT
SENTENCE_ENDS = ".!?…。！？" + END_OF_TEXT


def position_in_word(text: Text) -> Array:
    """The number of letters of the word so far; 0 after any other character."""
    return _since(~is_kind(text, is_letter))


def start_of_word(text: Text) -> Array:
    """Whether this is the first letter of a word."""
    first: Array = position_in_word(text) == 1
    return first


def word_in_capitals(text: Text) -> Array:
    """Whether this character and the one before are capital letters."""
    capital = is_kind(text, str.isupper)
    return capital & _before(capital, False)


def position_in_line(text: Text) -> Array:
    """The number of characters of the line so far; 0 after a newline."""
    return _since(is_in(text, LINE_ENDS))


def start_of_line(text: Text) -> Array:
    """Whether the character before is a newline."""
    return _before(is_in(text, LINE_ENDS), True)


def indentation(text: Text) -> Array:
    """The number of spaces and tabs that the line begins with, so far."""
    position, visible = position_in_line(text), _visible_in_line(text)
    first = (visible == 1) & ~is_kind(text, str.isspace)
    latest = np.maximum.accumulate(np.where(first, np.arange(len(text)), 0))
    return np.where(visible > 0, position[latest] - 1, position)


def position_in_sentence(text: Text) -> Array:
    """The number of characters since a full stop, question mark or exclamation mark."""
    return _since(is_in(text, SENTENCE_ENDS))


def position_in_paragraph(text: Text) -> Array:
    """The number of characters since a blank line."""
    blank = _before(_visible_in_line(text) == 0, True)
    return _since(is_in(text, "\n") & blank | is_in(text, END_OF_TEXT))


def newline(text: Text) -> Array:
    """Whether this is a newline."""
    return is_in(text, LINE_ENDS)


POSITIONS: dict[str, Callable[[Text], Array]] = {
    "position in word": position_in_word,
    "start of word": start_of_word,
    "word in capitals": word_in_capitals,
    "position in line": position_in_line,
    "newline": newline,
    "start of line": start_of_line,
    "indentation": indentation,
    "position in sentence": position_in_sentence,
    "position in paragraph": position_in_paragraph,
}


def _since(last: Array) -> Array:
    """The number of characters since the last one that is marked (N,)."""
    positions = np.arange(len(last))
    since: Array = positions - np.maximum.accumulate(np.where(last, positions, -1))
    return since


def _before(values: Array, first: bool) -> Array:
    """The value of the character before each (N,)."""
    return np.concatenate([[first], values[:-1]])


def _visible_in_line(text: Text) -> Array:
    """How many characters of the line so far are not whitespace (N,); 0 after a newline."""
    ends = is_in(text, LINE_ENDS)
    visible = np.cumsum(~is_kind(text, str.isspace) & ~ends)
    before_line = np.concatenate([[0], visible[ends]])
    counted: Array = visible - before_line[np.cumsum(ends)]
    return counted
