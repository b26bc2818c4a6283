"""How well a model predicts a text."""

from collections.abc import Iterable
from math import exp, inf, log
from typing import NamedTuple

import numpy as np

from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.model.workspace import Workspace
from charrnn.window import Window

BITS_PER_NAT = 1 / log(2)


class Score(NamedTuple):
    """The summed loss of a text in nats, and the number of characters that were predicted."""

    nats: float
    characters: int

    @property
    def nats_per_character(self) -> float:
        """The mean loss."""
        return self.nats / self.characters

    @property
    def bits_per_character(self) -> float:
        """The mean loss in bits."""
        return self.nats_per_character * BITS_PER_NAT

    @property
    def perplexity(self) -> float:
        """The number of equally likely characters that would be as hard to predict."""
        return exp(self.nats_per_character) if self.nats_per_character < 700 else inf


def evaluate(
    params: Params, windows: Iterable[Window], activation: Activation, stretch: int = 1024
) -> Score:
    """Scores every target of the windows, each of which starts from the zero state.

    `stretch` steps are held in memory at a time; the result depends on it by rounding only.
    """
    workspace = Workspace()
    nats, characters = 0.0, 0
    for window in windows:
        T, B = window.x.shape
        h = np.zeros((B, params.hidden_size), params.W.dtype)
        for start in range(0, T, stretch):
            piece = slice(start, start + stretch)
            with np.errstate(over="ignore", invalid="ignore"):  # the score tells
                h_all = states(params, window.x[piece], h, activation, workspace)
                losses = cross_entropy(logits(params, h_all[1:], workspace), window.y[piece])
            nats += float(losses.sum(dtype="float64"))
            h = h_all[-1].copy()
        characters += window.targets
    return Score(nats, characters)
