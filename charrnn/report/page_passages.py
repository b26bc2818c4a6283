"""A passage in a page, character by character: its surprisal, and the states of units."""

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.results import CharacterScores, UnitReport
from charrnn.system.escaping import drawable
from charrnn.units import BITS_PER_NAT

SHADES = 9  # of surprisal, from 0
MOST_BITS = 8.0  # the darkest shade
LEVELS = 11  # of a state, from its lowest to its highest value
ALPHABET = "abcdefghijk"  # the levels, one letter each
NAMES = {" ": "space", "\n": "newline", "\t": "tab"}


@dataclass(frozen=True)
class Passage:
    """A text, in characters as they are shown, each with the class of its colour.

    Attributes:
        characters: What is shown for each character, and its class.
        values: What the page shows of them when asked, as values of JSON.
        choices: Numbers and names of what its colours can show.
    """

    characters: tuple[tuple[str, str], ...]
    values: dict[str, Any]
    choices: tuple[tuple[int, str], ...] = ()


def surprisal_passage(scores: CharacterScores) -> Passage:
    """The text with the surprisal of each character, and what the model expected instead."""
    bits = np.nan_to_num(scores.nats * BITS_PER_NAT, nan=-1.0, posinf=99.0)
    shades = np.clip(np.round(bits / MOST_BITS * (SHADES - 1)), 0, SHADES - 1).astype(int)
    known = [name_of(character) for character in scores.characters]
    probabilities = np.nan_to_num(scores.probabilities, nan=0.0)
    values = {
        "names": known,
        "text": [name_of(character) for character in scores.text],
        "bits": [round(float(value), 2) for value in bits],
        "ranks": scores.ranks.tolist(),
        "likeliest": scores.likeliest.tolist(),
        "percent": np.round(100 * probabilities, 1).tolist(),
    }
    shown = zip(map(visible, scores.text), (f"b{shade}" for shade in shades), strict=True)
    return Passage(tuple(shown), values)


def unit_passage(found: UnitReport) -> Passage:
    """The text in the colours of the unit that follows a feature most closely."""
    states = np.nan_to_num(found.states, nan=0.0)
    bounded = (found.lowest, found.highest) in ((-1, 1), (0, 1))
    highest = found.highest if bounded else max(float(states.max(initial=0)), 1e-12)
    lowest = found.lowest if bounded else -highest  # a ReLU is at rest at 0, the middle
    shares = np.clip((states - lowest) / (highest - lowest), 0, 1)
    levels = np.round(shares * (LEVELS - 1)).astype(int)
    letters = np.array(list(ALPHABET))[levels]
    choices = _choices(found) or [(n, _unit_name(found, n)) for n in range(len(found.units))]
    first = choices[0][0] if choices else 0
    values = {
        "levels": ["".join(letters[:, number]) for number in range(letters.shape[1])],
        "lowest": lowest,
        "highest": highest,
    }
    classes = (f"u{level}" for level in levels[:, first])
    return Passage(
        tuple(zip(map(visible, found.text), classes, strict=True)), values, tuple(choices)
    )


def _choices(found: UnitReport) -> list[tuple[int, str]]:
    """The features that a unit follows, each with the unit, those followed most closely first."""
    numbers = {unit: number for number, unit in enumerate(found.units)}
    followers = [f for f in found.followers if f.found.significant and f.unit in numbers]
    followers.sort(key=lambda follower: -abs(follower.found.correlation))
    return [
        (
            numbers[follower.unit],
            f"{drawable(follower.found.feature)}: {_unit_name(found, numbers[follower.unit])} "
            f"({follower.found.correlation:+.2f})",
        )
        for follower in followers
    ]


def _unit_name(found: UnitReport, number: int) -> str:
    layer = f" of layer {found.layers[number]}" if found.depth > 1 else ""
    return f"unit {found.units[number] + 1}{layer}"


def visible(character: str) -> str:
    """A character as a text shows it; a newline is seen, and ends the line."""
    return "↵\n" if character == "\n" else drawable(character)


def name_of(character: str) -> str:
    """A character as it is called where it stands alone."""
    if unicodedata.category(character).startswith("M"):
        return "\u25cc" + character
    code_point = f"U+{ord(character):04X}"
    return NAMES.get(character) or (character if character.isprintable() else code_point)
