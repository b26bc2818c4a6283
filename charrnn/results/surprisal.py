"""How well a model predicts each character of a text."""

from dataclasses import dataclass

import numpy as np

from charrnn.arrays import Array
from charrnn.results.display import Displayed
from charrnn.units import BITS_PER_NAT


@dataclass(frozen=True)
class CharacterScores(Displayed):
    """Each character of a text, how well the model predicted it, and what it expected instead.

    The first character of a stream is not predicted: its nats are NaN and its rank is 0.

    Attributes:
        text: The text, N characters.
        nats: Surprisal -ln p of each character (N,).
        ranks: Its rank among the characters that the model knows (N,), 1 for the likeliest.
        likeliest: Numbers of the likeliest characters (N, k), the likeliest first.
        probabilities: Their probabilities (N, k).
        characters: The characters that the model knows, by their numbers.
    """

    text: str
    nats: Array
    ranks: Array
    likeliest: Array
    probabilities: Array
    characters: tuple[str, ...]

    @property
    def bits(self) -> Array:
        """The surprisal of each character in bits (N,)."""
        return self.nats * BITS_PER_NAT

    @property
    def bits_per_character(self) -> float:
        """The mean of the bits of all characters that are predicted."""
        return float(np.nanmean(self.bits))
