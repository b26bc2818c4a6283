"""What a loaded model is."""

from dataclasses import dataclass

from charrnn.results.display import Displayed


@dataclass(frozen=True)
class ModelSummary(Displayed):
    """A model in a few facts.

    Attributes:
        name: Where it comes from: its checkpoint, or the name of its run.
        activation: Name of the activation.
        layers: L.
        hidden_size: H.
        weights: Number of weights.
        alphabet: The characters that it knows.
        texts: The texts that it was trained on; empty for the bundled corpus.
        text_size: Their number of characters.
        sequences: How they are read: "stream", "lines" or "documents".
        step: The training steps that it has made.
        validation_nats_per_character: Its best loss on the held-out text; None if unknown.
    """

    name: str
    activation: str
    layers: int
    hidden_size: int
    weights: int
    alphabet: tuple[str, ...]
    texts: tuple[str, ...]
    text_size: int
    sequences: str
    step: int
    validation_nats_per_character: float | None = None
