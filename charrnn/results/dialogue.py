"""What a dialogue with a model answers, part by part."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """A piece of the text."""

    text: str


@dataclass(frozen=True)
class Said:
    """A message to the user, with a hint on what to do if something is wrong."""

    message: str
    hint: str | None = None


@dataclass(frozen=True)
class Likely:
    """The most likely next characters, the likeliest first, and their probabilities."""

    characters: tuple[str, ...]
    probabilities: tuple[float, ...]


Part = Written | Said | Likely
