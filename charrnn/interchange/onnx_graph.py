"""The network as an ONNX model."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from charrnn import __version__
from charrnn.model.params import Params

OPSET, IR_VERSION = 14, 7  # of 2021: the first in which RNN has its present form
OPERATORS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}
MAX_BYTES = 2**31 - 2**20  # of a model in one file, less what is not weights


def encode(onnx: ModuleType, params: Params, activation: str, metadata: Mapping[str, str]) -> bytes:
    """An ONNX model of equations (22) and (3), in float32, checked by `onnx.checker`.

    Its inputs are `ids` (T, B), int64, and `state` (L, B, H); its outputs `logits` (T, B, A) and
    `next_state` (L, B, H). T and B may differ from call to call.

    Args:
        onnx: The module of that name.
        params: The weights.
        activation: The name of the activation f.
        metadata: Stored as `metadata_props`.
    """
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    L, H, A = params.depth, params.hidden_size, params.alphabet_size
    inputs = [
        helper.make_tensor_value_info(
            "ids", onnx.TensorProto.INT64, ["T", "B"], "Ids of characters, one text per column."
        ),
        helper.make_tensor_value_info(
            "state", float32, [L, "B", H], "State of each layer before them; zeros at first."
        ),
    ]
    outputs = [
        helper.make_tensor_value_info(
            "logits", float32, ["T", "B", A], "Logits of the character after each."
        ),
        helper.make_tensor_value_info(
            "next_state", float32, [L, "B", H], "State of each layer after the last."
        ),
    ]
    graph = helper.make_graph(
        _nodes(helper, params, OPERATORS[activation]),
        "charrnn",
        inputs,
        outputs,
        [onnx.numpy_helper.from_array(array, name) for name, array in _constants(params).items()],
    )
    model = helper.make_model(
        graph,
        producer_name="charrnn",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _nodes(helper: ModuleType, params: Params, operator: str) -> list[Any]:
    """The operators from ids and state to logits and next state."""
    layers = range(1, params.depth + 1)
    states, next_states = ([f"{name}_{n}" for n in layers] for name in ("state", "next_state"))
    nodes = [
        helper.make_node("OneHot", ["ids", "alphabet_size", "zero_and_one"], ["h_0"], "one_hot"),
        helper.make_node("Split", ["state"], states, "states", axis=0),
    ]
    for n in layers:
        bias = f"b_{n}" if params.c is not None else ""
        names = [f"h_{n - 1}", f"U_{n}", f"W_{n}", bias, "", f"state_{n}"]
        nodes += [
            helper.make_node(
                "RNN",
                names,
                [f"h_{n}_by_direction", f"next_state_{n}"],
                f"layer_{n}",
                hidden_size=params.hidden_size,
                activations=[operator],
            ),
            helper.make_node("Squeeze", [f"h_{n}_by_direction", "directions"], [f"h_{n}"]),
        ]
    nodes.append(helper.make_node("Concat", next_states, ["next_state"], "next_states", axis=0))
    product = "logits" if params.c is None else "Vh"
    nodes.append(helper.make_node("MatMul", [f"h_{params.depth}", "V_transposed"], [product]))
    if params.c is not None:
        nodes.append(helper.make_node("Add", ["Vh", "c"], ["logits"], "output"))
    return nodes


def _constants(params: Params) -> dict[str, np.ndarray[Any, Any]]:
    """The weights as the operators take them, for a single direction, and the other constants."""
    constants: dict[str, np.ndarray[Any, Any]] = {
        "alphabet_size": np.array(params.alphabet_size),
        "zero_and_one": np.array([0, 1], np.float32),
        "directions": np.array([1]),
    }
    for n, (U, W, b) in enumerate(params.layers, 1):
        constants |= {f"U_{n}": U[np.newaxis], f"W_{n}": W[np.newaxis]}
        if b is not None:  # ONNX adds two biases
            constants[f"b_{n}"] = np.concatenate([b, np.zeros_like(b)])[np.newaxis]
    constants["V_transposed"] = np.ascontiguousarray(params.V.T)
    if params.c is not None:
        constants["c"] = params.c
    return constants
