"""A network in a file of another framework."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExportReport:
    """What was exported.

    Attributes:
        path: The file.
        kind: "onnx", "safetensors", "npz" or "html".
        bytes: Its size.
        checkpoint: The checkpoint file of the model.
        name: What the model is called: the name of its first training text.
        activation: The name of the activation f.
        hidden_size: H.
        layers: L.
        alphabet_size: A.
        bias: Whether there are biases.
        weights: The number of weights.
        precision: That of the weights in the file, float32 or float64.
        notes: What the user should know about the export.
    """

    path: str
    kind: str
    bytes: int
    checkpoint: str
    name: str
    activation: str
    hidden_size: int
    layers: int
    alphabet_size: int
    bias: bool
    weights: int
    precision: str
    notes: tuple[str, ...]
