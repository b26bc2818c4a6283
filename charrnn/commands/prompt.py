"""The prompt that generated texts continue, and the string that ends them."""

from typing import NamedTuple

from charrnn.errors import InputError, UsageError
from charrnn.setup.loading import Model, unknown_policy
from charrnn.setup.wiring import decoding_of, sequences_of
from charrnn.text.escapes import unescaped
from charrnn.text.reading import read_text
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.wording import pluralize


class Prompt(NamedTuple):
    """A prompt in the model's alphabet, and notes for the user."""

    text: str
    notes: tuple[str, ...]


def prompt_of(
    model: Model, prime: str | None, prime_file: str | None, unknown: str | None
) -> Prompt:
    """The prompt of a string or a file; empty if neither is given.

    Raises:
        UsageError: Both are given, or the prompt is unusable.
    """
    if prime is not None and prime_file is not None:
        raise UsageError("`prime` and `prime_file` are both given.", "choose one of them.")
    prompt, notes = _read_prompt(model, prime, prime_file)
    sequences = sequences_of(model.config)
    end = sequences.delimiter
    if end:  # echo and editors end files with a newline
        prompt = prompt.removesuffix(end)
    if end and end in prompt:
        raise UsageError(
            f"the prompt has more than one {sequences.name}, but this model generates single ones.",
            f"give the beginning of one {sequences.name}.",
        )
    prompt, more = in_alphabet(model, prompt, unknown, "the prompt")
    return Prompt(prompt, notes + more)


def in_alphabet(
    model: Model, text: str, unknown: str | None, label: str
) -> tuple[str, tuple[str, ...]]:
    """A text with its unknown characters left out or replaced, and notes on that.

    Raises:
        UsageError: There are unknown characters, which are not to be left out or replaced.
    """
    texts, notes = model.vocabulary.handle_unknown([Text.of(text)], unknown_policy(model, unknown))
    fitted = Text.concatenate(texts)
    model.vocabulary.encode(fitted, label)  # raises for unknown characters
    return str(fitted), notes


def stop_string(
    until: str | None, vocabulary: Vocabulary, delimiter: str | None, length: int
) -> str | None:
    """The string to stop after, its escapes replaced.

    Raises:
        UsageError: It is empty, or the model can never write it.
    """
    if until is None:
        return None
    if until == "":
        raise UsageError("`until` is empty.", "leave it out, or give a string to stop after.")
    until = unescaped(until, "until")
    _require_possible(until, vocabulary, delimiter, length)
    return until


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
