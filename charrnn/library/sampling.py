"""How a model is sampled."""

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any, TypedDict

from charrnn.commands.sample import Sampler
from charrnn.library.keywords import Files, Path, Unknown
from charrnn.library.notes import note, note_all
from charrnn.setup.loading import Model


class Sampling(TypedDict, total=False):
    """How characters are chosen, as on the command line.

    Attributes:
        prime_file: A file with the prompt, instead of `prime`.
        no_prime: Whether to leave the prompt out of what is returned.
        length: The number of characters to generate at most; 500 by default.
        top_k: The number of most likely characters to choose from.
        top_p: The total probability of the most likely characters to choose from.
        min_p: The least probability of a character, relative to that of the most likely one.
        seed: Random seed; 1 by default.
        until: A string to stop after, with escapes such as "\\\\n".
        unknown: What to do with characters of the prompt that the model does not know.
    """

    prime_file: Path
    no_prime: bool
    length: int
    top_k: int | None
    top_p: float
    min_p: float
    seed: int
    until: str | None
    unknown: Unknown | None


def sampler_of(
    model: Model,
    prime: str | None,
    temperature: float | Sequence[float],
    *,
    no_prime: bool = False,
    text: Files | None = None,
    **options: Any,
) -> Sampler:
    """A sampler with options by the names of `Sampling`, whose notes are logged."""
    if (file := options.get("prime_file")) is not None:
        options["prime_file"] = fspath(file)
    files = [text] if isinstance(text, str | PathLike) else text or []
    sampler = Sampler(
        model,
        prime=prime,
        temperature=temperature,
        show_prime=not no_prime,
        text=[fspath(file) for file in files],
        announce=note,
        **options,
    )
    note_all(sampler.notes)
    return sampler
