"""Texts that a model generated."""

from dataclasses import dataclass

from charrnn.arrays import Array
from charrnn.results.display import Displayed
from charrnn.results.novelty import Novelty


@dataclass(frozen=True)
class Generated(Displayed):
    """What a model generated after a prompt.

    Attributes:
        temperature: The temperature.
        text: The characters generated, without the prompt.
        log_probabilities: The natural logarithm of the probability of each of these characters
            (N,), given all before it, under the model itself: at temperature 1 and among all
            characters, whatever temperature and restrictions it was sampled with. The character
            that ends a line or a document is not among them.
        nats_per_character: The mean of their negatives; NaN if nothing was generated.
    """

    temperature: float
    text: str
    log_probabilities: Array
    nats_per_character: float


@dataclass(frozen=True)
class Samples(Displayed):
    """Texts that a model generated.

    Attributes:
        checkpoint: The checkpoint file of the model.
        prime: The prompt that each text continues.
        seed: The random seed.
        texts: The texts as `sample` prints them: with the prompt, unless it is left out.
        generated: What was generated of each of them, in the same order: those of the first
            temperature, then those of the second, and so on.
        attempts: The number of texts generated at each temperature; more than were asked for if
            copies of the training text were left out.
        novelty: How much of the texts occurs in the training text; None if not asked for.
    """

    checkpoint: str
    prime: str
    seed: int
    texts: tuple[str, ...]
    generated: tuple[Generated, ...]
    attempts: tuple[int, ...]
    novelty: Novelty | None = None
