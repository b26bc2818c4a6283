"""Texts in a notebook: messages, samples, and passages in the colours of a number per character."""

import re
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from charrnn.report.page_facts import shown
from charrnn.report.page_passages import LEVELS, SHADES, surprisal_passage, unit_passage
from charrnn.report.page_source import fragments
from charrnn.results import CharacterScores, Generated, Samples, UnitReport
from charrnn.system.escaping import drawable
from charrnn.units import BITS_PER_NAT
from charrnn.wording import pluralize

MAX_SAMPLE = 1200  # characters of a sample beside other things
MAX_TEXT, MAX_TEXTS = 20_000, 30  # characters of a generated text, and texts
MAX_PASSAGE = 2000  # characters in colours, of which each takes about a hundred bytes
EXPECTED = 3  # characters that a pointer on another one shows
CODE = re.compile(r"`([^`]*)`")


def message(words: str, kind: str = "") -> Markup:
    """A message, in which settings and calls that stand in backquotes are code."""
    pieces = [(shown(piece), number % 2) for number, piece in enumerate(CODE.split(words))]
    line: Markup = fragments().message(pieces, kind)
    return line


def sample_text(title: str, text: str, most: int = MAX_SAMPLE, prompt: str = "") -> Markup:
    """A generated text of at most so many characters, in which its prompt is emphasized."""
    before = min(len(prompt), most) if text.startswith(prompt) else 0
    pieces = [(drawable(text[:before]), "strong"), (drawable(text[before:most]), "")]
    part: Markup = fragments().text(
        title, [piece for piece in pieces if piece[0]], _left(text, most)
    )
    return part


def sample_texts(found: Samples) -> list[Markup]:
    """Generated texts below their temperatures, with how likely they are."""
    texts = found.texts[:MAX_TEXTS]
    parts = [
        sample_text(_title(one), text, MAX_TEXT // len(texts), found.prime)
        for text, one in zip(texts, found.generated, strict=False)
    ]
    if left := len(found.texts) - len(texts):
        parts.append(message(f"and {pluralize(left, 'text')} more", "quiet"))
    return parts


def generated_text(found: Generated) -> Markup:
    """What a model generated, without its prompt."""
    return sample_text(_title(found), found.text, MAX_TEXT)


def _title(found: Generated) -> str:
    size = pluralize(len(found.text), "character")
    words = f"temperature {found.temperature:g}, {size}"
    if not np.isfinite(found.nats_per_character):
        return words
    return f"{words}, {found.nats_per_character * BITS_PER_NAT:.3f} bits each under the model"


def _left(text: str, most: int) -> str:
    left = len(text) - most
    return f"and {pluralize(left, 'character')} more" if left > 0 else ""


def surprisal_text(found: CharacterScores, most: int = MAX_PASSAGE) -> Markup:
    """The beginning of a text in the colours of its surprisal, with what was expected instead."""
    beginning = _beginning(found, most)
    passage = surprisal_passage(beginning)
    values = passage.values
    notes = [
        _expected(bits, rank, [values["names"][n] for n in likeliest], percent)
        for bits, rank, likeliest, percent in zip(
            beginning.nats * BITS_PER_NAT,
            values["ranks"],
            values["likeliest"],
            values["percent"],
            strict=True,
        )
    ]
    scale = ("0 bits", "8 bits", [f"b{n}" for n in range(SHADES)])
    return _passage(passage.characters, notes, scale, _left(found.text, most))


def unit_text(found: UnitReport, most: int = MAX_PASSAGE) -> list[Markup]:
    """The beginning of a text in the colours of the unit that follows a feature most closely."""
    if not len(found.states):
        return []
    passage = unit_passage(found)
    low, high = passage.values["lowest"], passage.values["highest"]
    scale = (f"{low:.2g}", f"{high:.2g}", [f"u{n}" for n in range(LEVELS)])
    text = _passage(passage.characters[:most], [], scale, _left(found.text, most))
    return [message(passage.choices[0][1], "head"), text]


def _beginning(found: CharacterScores, most: int) -> CharacterScores:
    return CharacterScores(
        found.text[:most], found.nats[:most], found.ranks[:most], found.likeliest[:most],
        found.probabilities[:most], found.characters,
    )  # fmt: skip


def _expected(bits: float, rank: int, names: list[str], percent: list[float]) -> str:
    if not rank:
        return ""
    pairs = [*zip(names, percent, strict=True)][:EXPECTED]
    expected = ", ".join(f"{drawable(name)} {share:.0f} %" for name, share in pairs)
    return f"{bits:.1f} bits, number {rank:,}; expected: {expected}"


def _passage(
    characters: Sequence[tuple[str, str]],
    notes: Sequence[str],
    scale: tuple[str, str, list[str]],
    left: str,
) -> Markup:
    """Characters with their classes; neighbours of one class and without notes in one piece."""
    pieces = list[tuple[str, str, str]]()
    for number, (text, look) in enumerate(characters):
        if not notes and pieces and pieces[-1][1] == look:
            text = pieces.pop()[0] + text
        pieces.append((text, look, notes[number] if notes else ""))
    part: Markup = fragments().passage(pieces, scale, left)
    return part
