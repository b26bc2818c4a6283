"""The gradient of the loss on a text."""

from dataclasses import dataclass

from charrnn.arrays import Array
from charrnn.results.display import Displayed


@dataclass(frozen=True)
class TextGradient(Displayed):
    """The gradient of the mean loss on a text, in nats per character.

    Attributes:
        characters: The number of characters that were predicted.
        nats_per_character: The loss J.
        arrays: ∂J/∂θ of each parameter by its name, with its shape: U (H, A), W (H, H), V (A, H),
            b (H,) and c (A,); of several layers U1, W1, b1, U2 (H, H) and so on.
    """

    characters: int
    nats_per_character: float
    arrays: dict[str, Array]

    def __getitem__(self, name: str) -> Array:
        """The array of a parameter: gradient["W"] is ∂J/∂W."""
        return self.arrays[name]
