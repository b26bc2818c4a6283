"""The parameters in the names of torch.nn.RNN and torch.nn.Linear, and back."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.interchange.network import require_shapes
from charrnn.model.params import Params, Shape, layer_suffixes
from charrnn.model.params import shapes as shapes_of
from charrnn.training.tensor_file import Unusable

RECURRENT = re.compile(r"(.*?)(weight|bias)_(ih|hh|hr)_l(0|[1-9][0-9]{0,2})(_reverse)?")
GATED = {3: "a GRU", 4: "an LSTM"}


def named_as_in_pytorch(params: Params) -> dict[str, Array]:
    """The parameters as the state of modules `rnn` and `linear`.

    PyTorch adds two biases per layer. b is the first, `bias_ih`; `bias_hh` is zero.
    """
    named: dict[str, Array] = {}
    for n, (U, W, b) in enumerate(params.layers):
        named |= {f"rnn.weight_ih_l{n}": U, f"rnn.weight_hh_l{n}": W}
        if b is not None:
            named |= {f"rnn.bias_ih_l{n}": b, f"rnn.bias_hh_l{n}": np.zeros_like(b)}
    named["linear.weight"] = params.V
    if params.c is not None:
        named["linear.bias"] = params.c
    return named


class PyTorchNames(NamedTuple):
    """The names of the tensors of a network, found by name and shape.

    Attributes:
        prefix: What the names of the recurrent layers start with, such as "rnn.".
        layers: L.
        recurrent_bias: Whether the layers have biases.
        output: The name of V.
        output_bias: The name of c; None if there is none.
    """

    prefix: str
    layers: int
    recurrent_bias: bool
    output: str
    output_bias: str | None

    def params(self, tensors: Mapping[str, Array]) -> Params:
        """The parameters of tensors; a bias that is missing where others are there is zero."""
        V = tensors[self.output]
        A, H = V.shape
        arrays: dict[str, Array] = {"V": V}
        biased = self.recurrent_bias or self.output_bias is not None
        for n, suffix in enumerate(layer_suffixes(self.layers)):
            arrays["U" + suffix] = tensors[f"{self.prefix}weight_ih_l{n}"]
            arrays["W" + suffix] = tensors[f"{self.prefix}weight_hh_l{n}"]
            if self.recurrent_bias:
                b, more = (tensors[f"{self.prefix}bias_{of}_l{n}"] for of in ("ih", "hh"))
                with np.errstate(over="ignore"):  # reported by the caller
                    arrays["b" + suffix] = np.where(more == 0, b, b + more)  # keeps a b of -0
            elif biased:
                arrays["b" + suffix] = np.zeros(H, V.dtype)
        if biased:
            arrays["c"] = tensors[self.output_bias] if self.output_bias else np.zeros(A, V.dtype)
        return Params.of(**{name: arrays[name] for name in shapes_of(H, A, biased, self.layers)})


def find_names(shapes: Mapping[str, Shape]) -> PyTorchNames:
    """Finds the network among the tensors of a file.

    Args:
        shapes: The shape of each tensor.

    Raises:
        Unusable: There is none that is an RNN with a linear output, or there is more.
    """
    found = {name: match for name in shapes if (match := RECURRENT.fullmatch(name))}
    prefix, layers = _recurrent_layers(found, shapes)
    others = {name: shape for name, shape in shapes.items() if name not in found}
    hidden_size = shapes[f"{prefix}weight_hh_l0"][-1]
    alphabet_size = shapes[f"{prefix}weight_ih_l0"][-1]
    for name, shape in others.items():
        if "emb" in name and len(shape) == 2 and shape[1] == alphabet_size:
            raise Unusable(
                f"its network reads an embedding, {name!r}, and not one-hot characters; store "
                f"weight_ih_l0 @ {name}.T as weight_ih_l0, and leave the embedding out"
            )
    output = _output(others, (alphabet_size, hidden_size))
    bias = output.removesuffix("weight") + "bias"
    recurrent_bias = f"{prefix}bias_ih_l0" in found
    wanted = _wanted(prefix, layers, hidden_size, alphabet_size, recurrent_bias)
    wanted[output] = (alphabet_size, hidden_size)
    if bias in shapes:
        wanted[bias] = (alphabet_size,)
    require_shapes(shapes, wanted)
    return PyTorchNames(prefix, layers, recurrent_bias, output, bias if bias in shapes else None)


def _recurrent_layers(
    found: Mapping[str, re.Match[str]], shapes: Mapping[str, Shape]
) -> tuple[str, int]:
    """The prefix of the names of the recurrent layers, and their number."""
    if not found:
        raise Unusable("it has no tensor named weight_ih_l0, as those of torch.nn.RNN are")
    prefixes = sorted({match[1] for match in found.values()})
    if len(prefixes) > 1:
        raise Unusable(f"it has several recurrent networks, {prefixes[0]!r} and {prefixes[1]!r}")
    if any(match[5] for match in found.values()):
        raise Unusable("its network is bidirectional: it reads the characters it should predict")
    for name in (f"{prefixes[0]}weight_{of}_l0" for of in ("ih", "hh")):
        if len(shapes.get(name, ())) != 2 or 0 in shapes[name]:
            raise Unusable(f"it has no matrix {name!r}")
    rows, columns = shapes[f"{prefixes[0]}weight_hh_l0"]
    gates = "an LSTM" if any(match[3] == "hr" for match in found.values()) else None
    if rows != columns and rows % columns == 0:
        gates = gates or GATED.get(rows // columns)
    if gates:
        raise Unusable(f"its network is {gates}; only the plain RNN, torch.nn.RNN, can be used")
    return prefixes[0], 1 + max(int(match[4]) for match in found.values())


def _output(others: Mapping[str, Shape], wanted: Shape) -> str:
    """The name of the only matrix that is not of the recurrent layers."""
    matrices = [name for name, shape in others.items() if len(shape) == 2]
    if len(matrices) > 1:
        fitting = [name for name in matrices if others[name] == wanted]
        matrices = fitting or matrices
    if len(matrices) == 1 and matrices[0].endswith("weight"):
        return matrices[0]
    what = f"several, such as {matrices[0]!r} and {matrices[1]!r}" if matrices[1:] else "none"
    raise Unusable(f"it needs one output matrix {wanted}, such as 'linear.weight', and has {what}")


def _wanted(
    prefix: str, layers: int, hidden_size: int, alphabet_size: int, bias: bool
) -> dict[str, Shape]:
    """The shapes of the tensors of the recurrent layers."""
    H, wanted = hidden_size, dict[str, Shape]()
    for n in range(layers):
        wanted[f"{prefix}weight_ih_l{n}"] = (H, H) if n else (H, alphabet_size)
        wanted[f"{prefix}weight_hh_l{n}"] = (H, H)
        if bias:
            wanted |= {f"{prefix}bias_{of}_l{n}": (H,) for of in ("ih", "hh")}
    return wanted
