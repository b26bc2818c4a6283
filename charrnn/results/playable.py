"""A model as a page runs it in a browser."""

from collections.abc import Mapping
from dataclasses import dataclass

from charrnn.arrays import Array


@dataclass(frozen=True)
class PlayableModel:
    """The weights of a model, and what else it takes to write with it.

    Attributes:
        name: What the model is called: the name of its first training text.
        texts: The names of its training texts, without their folders.
        text_size: Their number of characters.
        steps: The training steps.
        activation: The name of the activation f.
        hidden_size: H.
        layers: L.
        characters: The characters that it knows, by their ids.
        weights: The parameters, by name.
        start: The state (L·H,) from which a text without a prompt begins; None for zero.
        opening: The ids that are read before such a text, at least one.
        delimiter: The id of the character that starts and ends a text; None if there is none.
        replacement: The id that is read for unknown characters; None if they are left out.
    """

    name: str
    texts: tuple[str, ...]
    text_size: int
    steps: int
    activation: str
    hidden_size: int
    layers: int
    characters: tuple[str, ...]
    weights: Mapping[str, Array]
    start: Array | None
    opening: tuple[int, ...]
    delimiter: int | None
    replacement: int | None

    @property
    def size(self) -> int:
        """The number of weights."""
        return sum(weights.size for weights in self.weights.values())
