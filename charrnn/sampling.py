"""A model and a prompt in, characters out."""

from collections.abc import Callable, Iterator
from itertools import takewhile

import numpy as np
from numpy.random import Generator

from charrnn.errors import CharrnnError
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper
from charrnn.text.lines import NEWLINE
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import Array

Choose = Callable[[Array, Generator], int]


def chooser(temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0) -> Choose:
    """How the next character is chosen from logits (A,).

    temperature: divides the logits; 0 takes the likeliest character.
    top_k: only the k likeliest characters. top_p: only the likeliest ones that together reach
    this probability (Holtzman et al. 2020, arXiv 1904.09751).
    """
    if temperature == 0:
        return lambda o, random: int(o.argmax())

    def choose(o: Array, random: Generator) -> int:
        order = np.argsort(-o, kind="stable")[:top_k]
        with np.errstate(over="ignore"):  # a tiny temperature makes all but the likeliest -inf
            scaled = (o[order] - o[order[0]]).astype(np.float64) / temperature
        cumulative = np.exp(scaled).cumsum()
        if top_p < 1:
            kept = int(np.searchsorted(cumulative, top_p * cumulative[-1])) + 1
            cumulative = cumulative[:kept]
        drawn = random.random() * cumulative[-1]
        return int(order[np.searchsorted(cumulative, drawn, side="right")])

    return choose


def generate(
    params: Params, activation: Activation, prime: Array, choose: Choose, random: Generator
) -> Iterator[int]:
    """Character ids without end, after the prompt's ids (at least one) from the zero state.

    Raises: CharrnnError where the network's state grows beyond all numbers, as ReLU's can.
    """
    step = Stepper(params, activation)
    for character in prime[:-1].tolist():
        step(character)
    character = int(prime[-1])
    while True:
        o = step(character)
        if not np.isfinite(o).all():
            raise CharrnnError(
                "the model's state has grown beyond all numbers.",
                "ask for less text, or train with a lower model.initialization.recurrent_gain.",
            )
        character = choose(o, random)
        yield character


def continuation(
    params: Params,
    activation: Activation,
    vocabulary: Vocabulary,
    beginning: str,
    lines: bool,
    choose: Choose,
    random: Generator,
) -> Iterator[str]:
    """What a model writes after a beginning: without end, or of lines the rest of the line."""
    start = NEWLINE + beginning if lines else beginning or default_prime(vocabulary)
    ids = generate(params, activation, vocabulary.lookup(start), choose, random)
    characters = (vocabulary.characters[i] for i in ids)
    return takewhile(lambda character: character != NEWLINE, characters) if lines else characters


def stream(seed: int, number: int) -> Generator:
    """The random numbers of the text with this number; each number has a stream of its own."""
    return np.random.default_rng([seed, number])


def default_prime(vocabulary: Vocabulary) -> str:
    """What a text follows without a prompt: a blank line, or the first character known.

    A single line's end is too little: from the zero state the network takes it for the middle of
    something.
    """
    return "\n\n" if "\n" in vocabulary.characters else vocabulary.characters[0]


def until_string(characters: Iterator[str], end: str | None) -> Iterator[str]:
    """The characters up to and including the first occurrence of `end`."""
    tail = ""
    for character in characters:
        yield character
        if end is not None:
            tail = (tail + character)[-len(end) :]
            if tail == end:
                return


def prompt(vocabulary: Vocabulary, text: str, unknown: str) -> str:
    """The prompt that the model can read: `unknown` says "error" or "skip".

    Raises: UsageError that names the first unknown character.
    """
    if unknown == "skip":
        return vocabulary.known(text)
    vocabulary.encode(text, "the prompt")
    return text
