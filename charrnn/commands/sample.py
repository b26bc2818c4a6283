"""Generates texts from a model, optionally continuing a prompt."""

from collections.abc import Iterator
from itertools import chain
from math import isfinite

import numpy as np

from charrnn.errors import InputError, UsageError
from charrnn.results import Samples
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.setup.loading import Model, load_model, unknown_policy
from charrnn.setup.wiring import decoding_of, sequences_of
from charrnn.text.escapes import unescaped
from charrnn.text.reading import read_text
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.wording import pluralize


class Sampler:
    """A model with a prompt and the options of `charrnn sample`, ready to generate.

    Attributes:
        model: The model.
        prompt: The prompt in the model's alphabet.
        lines: Whether each text is a line.
        notes: What the user should know about the prompt.

    Raises:
        UsageError: The prompt or an option is invalid.
        InputError: The checkpoint is unusable.
    """

    def __init__(
        self,
        checkpoint: str,
        *,
        prime: str | None = None,
        prime_file: str | None = None,
        length: int = 500,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        seed: int = 1,
        until: str | None = None,
        unknown: str | None = None,
    ) -> None:
        if until == "":
            raise UsageError("`until` is empty.", "leave it out, or give a string to stop after.")
        if not isfinite(temperature):
            raise UsageError(
                f"`temperature={temperature}` is not a finite number.",
                "for example `temperature=0.8`",
            )
        if prime is not None and prime_file is not None:
            raise UsageError("`prime` and `prime_file` are both given.", "choose one of them.")
        self.model = load_model(checkpoint, ("sample",))
        prompt, notes = _read_prompt(self.model, prime, prime_file)
        sequences = sequences_of(self.model.config)
        one, self._end = sequences.name, sequences.delimiter
        self.lines = sequences.single_line
        if self._end:  # echo and editors end files with a newline
            prompt = prompt.removesuffix(self._end)
        if self._end and self._end in prompt:
            raise UsageError(
                f"the prompt has more than one {one}, but this model generates single ones.",
                f"give the beginning of one {one}.",
            )
        vocabulary, unknown = self.model.vocabulary, unknown_policy(self.model, unknown)
        texts, more = vocabulary.handle_unknown([Text.of(prompt)], unknown)
        fitted = Text.concatenate(texts)
        vocabulary.encode(fitted, "the prompt")  # raises for unknown characters
        self.prompt, self.notes = str(fitted), self.model.notes + notes + more
        self._choice = temperature, top_k, top_p
        if until is not None:
            until = unescaped(until, "until")
            _require_possible(until, vocabulary, self._end, length)
        self._length, self._seed, self._until = length, seed, until

    def texts(self, count: int) -> Iterator[Iterator[str]]:
        """Generates `count` texts, each as an iterator over its pieces, the prompt first."""
        _, params, vocabulary, activation, *_ = self.model
        texts = GeneratedTexts(
            params,
            activation,
            vocabulary,
            self.prompt,
            delimiter=self._end,
            choose=chooser(*self._choice),  # its memory is not shared with other texts
            random=lambda number: np.random.default_rng([self._seed, number]),
            length=self._length,
            until=self._until,
            count=count,
            start=self.model.start,
        )
        return (chain([self.prompt], text) for text in texts)

    def samples(self, count: int) -> Samples:
        """Generates `count` texts and returns them together."""
        texts = tuple("".join(text) for text in self.texts(count))
        return Samples(self.model.path, self.prompt, self._seed, texts)


def _require_possible(
    until: str, vocabulary: Vocabulary, delimiter: str | None, length: int
) -> None:
    """Raises UsageError for a string that the model can never write."""
    hint = "leave out `until`, or give a string that can occur."
    if delimiter and delimiter in until:
        raise UsageError(
            f"`until` has {describe(delimiter)}, which ends a text and is never written.", hint
        )
    try:
        vocabulary.encode(Text.of(until), "`until`")
    except UsageError as error:
        raise UsageError(f"{error} It can never be generated.", hint) from None
    if len(until) > length:
        raise UsageError(
            f"`until` has {pluralize(len(until), 'character')}, but at most {length:,} are "
            "generated.",
            "raise `length`, or shorten `until`.",
        )


def _read_prompt(
    model: Model, prime: str | None, prime_file: str | None
) -> tuple[str, tuple[str, ...]]:
    """The prompt, and notes; a file is decoded like the model's training text."""
    if prime_file is None:
        return prime or "", ()
    try:
        reading = read_text([prime_file], decoding_of(model.config))
    except InputError as error:
        raise UsageError(f"`prime_file`: {error}", error.hint) from None
    return str(reading.text), reading.notes
