"""Writing texts with a model: a beginning, and what follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from math import isfinite

from charrnn.errors import InputError, UsageError
from charrnn.jobs.loading import load_model
from charrnn.sampling import chooser, default_prime, generate, prompt, stream, until_string
from charrnn.text.reading import read_text


@dataclass(frozen=True)
class Request:
    """What to write; each field is the option of that name."""

    checkpoint: str
    prime: str | None
    prime_file: str | None
    length: int
    temperature: float
    top_k: int | None
    top_p: float
    seed: int
    until: str | None
    unknown: str


class Writer:
    """A model ready to write what was asked for.

    Raises: UsageError for the prompt or an option, InputError for the checkpoint.
    """

    def __init__(self, request: Request) -> None:
        if request.until == "":
            raise UsageError("--until is empty.", "leave it out, or give a string to stop after.")
        if not isfinite(request.temperature):
            raise UsageError(f"--temperature {request.temperature} is no number.", "such as 0.8")
        beginning = _prime(request)
        self.model = load_model(request.checkpoint)
        self.beginning = prompt(self.model.vocabulary, beginning, request.unknown)
        self._request = request

    def text(self, number: int) -> Iterator[str]:
        """The text with this number, in pieces as it is made: the beginning first."""
        model, request = self.model, self._request
        ids = model.vocabulary.lookup(self.beginning or default_prime(model.vocabulary))
        choose = chooser(request.temperature, request.top_k, request.top_p)
        drawn = generate(model.params, model.activation, ids, choose, stream(request.seed, number))
        characters = (model.vocabulary.characters[i] for i in islice(drawn, request.length))
        return chain([self.beginning], until_string(characters, request.until))


def _prime(request: Request) -> str:
    if request.prime_file is None:
        return request.prime or ""
    if request.prime is not None:
        raise UsageError("--prime and --prime-file are both given.", "choose one of them.")
    try:
        return read_text([request.prime_file]).text
    except InputError as error:
        raise UsageError(f"--prime-file: {error}", error.hint) from None
