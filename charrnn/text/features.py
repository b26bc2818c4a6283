"""Numeric features of a text, one value per character, for hidden units to be compared with."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.text.characters import CHARACTER_KINDS, is_in, is_kind, most_frequent
from charrnn.text.enclosures import (
    BRACKETS,
    bracket_depths,
    inside_double_quotes,
    inside_single_quotes,
)
from charrnn.text.ngram import witten_bell_entropy
from charrnn.text.positions import POSITIONS
from charrnn.text.text import Text

ORDER = 2  # characters of the n-gram's context
IDENTITIES = 12  # characters with a feature of their own, the most frequent ones
SAME = 1 - 1e-4  # correlation above which two features count as the same


class Features(NamedTuple):
    """The features of a text.

    Attributes:
        names: Their names, such as "inside double quotes".
        values: Their values after each character, each with mean 0 and variance 1 (N, features).
        omitted: The names of those that do not vary in the text, or equal one before them.
    """

    names: tuple[str, ...]
    values: Array
    omitted: tuple[str, ...]


def features_of(text: Text, further: Mapping[str, Array] | None = None) -> Features:
    """Computes the features of a text; all depend on what has been read, not on what follows.

    Only the brackets and single quotes look ahead: they count if their partner follows.

    Args:
        text: The text, N characters.
        further: Further features (N,) by name.

    Returns:
        The features that vary, standardised.
    """
    names, omitted = [], []
    columns: list[Array] = []
    for name, raw in [*raw_features(text), *(further or {}).items()]:
        values = _standardised(raw)
        if values is None or any(abs(values @ other) > SAME * len(text) for other in columns):
            omitted.append(name)
        else:
            names.append(name)
            columns.append(values)
    stacked = np.stack(columns, axis=1) if columns else np.empty((len(text), 0), np.float32)
    return Features(tuple(names), stacked, tuple(omitted))


def raw_features(text: Text) -> Iterator[tuple[str, Array]]:
    """The name and the values (N,) of each feature."""
    string = str(text)
    yield "inside double quotes", inside_double_quotes(string)
    yield "inside single quotes", inside_single_quotes(string)
    depths = bracket_depths(string)
    for opening, closing in BRACKETS.items():
        yield f"inside {opening}{closing}", depths[opening] > 0
    yield "nesting depth", depths["("] + depths["["] + depths["{"]
    for name, position in POSITIONS.items():
        yield name, position(text)
    for name, kind in CHARACTER_KINDS.items():
        yield name, is_kind(text, kind)
    yield "n-gram uncertainty", witten_bell_entropy(text.ids, ORDER, len(text.characters))
    for character in most_frequent(text, IDENTITIES):
        yield f"character {character!r}", is_in(text, character)


def _standardised(values: Array) -> Array | None:
    """The values with mean 0 and variance 1 in float32; None if they are constant."""
    values = values.astype(np.float64)
    values -= values.mean()
    deviation = np.sqrt(np.mean(values * values))
    if deviation < 1e-9:
        return None
    standardised: Array = (values / deviation).astype(np.float32)
    return standardised
