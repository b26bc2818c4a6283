"""What a text is to a model: one stream, or lines that know nothing of each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from charrnn.text.batches import random_pieces, stream_window
from charrnn.text.lines import (
    NEWLINE,
    first_lines,
    line_history,
    line_windows,
    random_lines,
    shuffled_lines,
)
from charrnn.text.text import Text
from charrnn.window import Array, Window


@dataclass(frozen=True)
class Sequences:
    """How a text is cut.

    joined(documents): one text of several.
    arranged(text, validation_fraction): the text to work with, and how many of its characters,
    from its start, are to train on.
    scoring(ids): windows in which each target stands once, each from the zero state.
    history(ids): how many ids each one follows in its sequence, its start included; those that
    follow none are no targets.
    head(ids, most): the first of the ids, at most so many, and of whole sequences.
    drawn(ids, random, T, B, context): B random pieces of T steps as a window, and the ids (C, B)
    before it, from each sequence's start or with C = context.
    needed: the characters without which it cannot be cut.
    """

    joined: Callable[[list[Text]], Text]
    arranged: Callable[[Text, float], tuple[Text, int]]
    scoring: Callable[[Array], Iterable[Window]]
    history: Callable[[Array], Array]
    head: Callable[[Array, int | None], Array]
    drawn: Callable[[Array, Generator, int, int, int], tuple[Array, Window]]
    needed: str = ""


def _end_held_out(text: Text, validation_fraction: float) -> tuple[Text, int]:
    return text, len(text) - round(len(text) * validation_fraction)


SEQUENCES = {
    "stream": Sequences(
        Text.joined,
        _end_held_out,
        lambda ids: [stream_window(ids)],
        lambda ids: np.arange(len(ids)),
        lambda ids, most: ids[:most],
        random_pieces,
    ),
    "lines": Sequences(
        Text.joined,
        shuffled_lines,
        line_windows,
        line_history,
        first_lines,
        random_lines,
        NEWLINE,
    ),
}
