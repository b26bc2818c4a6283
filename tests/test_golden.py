"""Known values of other implementations, at inputs that are vectors instead of characters.

Each distinct input vector x is a character here, whose column of U is the product of the input
weights with x; so U x_t of the model is theirs. Inputs are (T, B, D).
"""

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.arrays import Array
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper, states


def network(inputs: Array, U: Array, W: Array, b: Array) -> tuple[Params, Array]:
    """The network that reads these vectors, and the ids (T, B) of the vectors."""
    T, B, D = inputs.shape
    columns = U @ inputs.reshape(-1, D).T
    params = Params.of(U=columns, W=W, b=b, V=np.zeros((T * B, len(W))), c=np.zeros(T * B))
    return params, np.arange(T * B).reshape(T, B)


def states_of(inputs: Array, U: Array, W: Array, b: Array, h0: Array) -> Array:
    """h (T+1, B, H) of tanh, by the window and by single steps, which have to agree."""
    params, x = network(inputs, U, W, b)
    h = states(params, x, h0, ACTIVATIONS["tanh"])
    step = Stepper(params, ACTIVATIONS["tanh"], x.shape[1])
    step.h[0] = h0
    for ids, expected in zip(x, h[1:], strict=True):
        step(ids)
        np.testing.assert_allclose(step.h[0], expected, rtol=1e-14, atol=1e-15)
    return h


def spread(first: float, last: float, *shape: int) -> Array:
    return np.linspace(first, last, num=np.prod(shape)).reshape(shape)


def test_rnn_step_of_stanfords_cs231n() -> None:
    """`rnn_step_forward` of assignment 3, RNN_Captioning.ipynb: N, D, H = 3, 10, 4."""
    x, h0 = spread(-0.4, 0.7, 3, 10), spread(-0.2, 0.5, 3, 4)
    Wx, Wh, b = spread(-0.1, 0.9, 10, 4), spread(-0.3, 0.7, 4, 4), spread(-0.2, 0.4, 4)
    expected = [
        [-0.58172089, -0.50182032, -0.41232771, -0.31410098],
        [0.66854692, 0.79562378, 0.87755553, 0.92795967],
        [0.97934501, 0.99144213, 0.99646691, 0.99854353],
    ]
    h = states_of(x[np.newaxis], Wx.T, Wh.T, b, h0)
    np.testing.assert_allclose(h[1], expected, atol=5e-9)


def test_rnn_forward_of_stanfords_cs231n() -> None:
    """`rnn_forward` of the same: N, T, D, H = 2, 3, 4, 5."""
    x, h0 = spread(-0.1, 0.3, 2, 3, 4), spread(-0.3, 0.1, 2, 5)
    Wx, Wh, b = spread(-0.2, 0.4, 4, 5), spread(-0.4, 0.1, 5, 5), spread(-0.7, 0.1, 5)
    expected = [-0.42305111, -0.24223728, -0.04287027, 0.15997045, 0.35014525]
    h = states_of(x.transpose(1, 0, 2), Wx.T, Wh.T, b, h0)
    np.testing.assert_allclose(h[3, 0], expected, atol=5e-9)


@pytest.mark.parametrize(
    ("bias", "expected"),
    [
        (0.0, [0.29131261, 0.67317414, 0.87852567]),
        (0.1, [0.37994897, 0.74067795, 0.90447217]),
    ],
)
def test_simple_rnn_of_onnx(bias: float, expected: list[float]) -> None:
    """The weights of its `test_simple_rnn_defaults`; its rows (1, 2), (3, 4), (5, 6) are steps."""
    rows = np.array([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]])
    U, W = np.full((4, 2), 0.1), np.full((4, 4), 0.1)
    h = states_of(rows, U, W, np.full(4, bias), np.zeros((1, 4)))
    np.testing.assert_allclose(h[1:, 0], np.repeat(expected, 4).reshape(3, 4), atol=1e-8)


def test_node_tests_of_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the onnx package generates as tests of its operator RNN, for one direction."""
    cases = pytest.importorskip("onnx.backend.test.case.node.rnn")
    found = []

    def compare(node, inputs: list[Array], outputs: list[Array], name: str) -> None:
        given = {attribute.name: attribute for attribute in node.attribute}
        layout = given["layout"].i if "layout" in given else 0
        direction = given["direction"].s if "direction" in given else b"forward"
        if direction == b"bidirectional":
            return
        X, W, R, *B = (array.astype(np.float64) for array in inputs)
        X = X.swapaxes(0, 1) if layout else X
        X = X[::-1] if direction == b"reverse" else X
        b = np.add(*np.split(B[0][0], 2)) if B else np.zeros(len(R[0]))
        h = states_of(X, W[0], R[0], b, np.zeros((X.shape[1], len(b))))
        Y_h = outputs[-1][:, 0] if layout else outputs[-1][0]
        np.testing.assert_allclose(h[-1], Y_h, rtol=1e-5, atol=1e-6, err_msg=name)
        found.append(name)

    monkeypatch.setattr(cases, "expect", compare)
    for name in vars(cases.RNN):
        if name.startswith("export"):
            getattr(cases.RNN, name)()
    assert {"test_simple_rnn_defaults", "test_simple_rnn_with_initial_bias"} <= {*found}
    assert "test_rnn_seq_length" in found


def test_simple_rnn_of_keras() -> None:
    """Its test of SimpleRNN with constant weights, and a second pass of a stateful layer."""
    sequence = np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2)
    U, W, b = np.full((4, 4), 0.01), np.full((4, 4), 0.02), np.full(4, 0.03)
    first = states_of(sequence, U, W, b, np.zeros((2, 4)))[-1].copy()
    np.testing.assert_allclose(first, np.repeat([[0.405432], [0.73605347]], 4, axis=1), atol=5e-7)
    second = states_of(sequence, U, W, b, first)[-1]
    np.testing.assert_allclose(second, np.repeat([[0.40559256], [0.7361247]], 4, axis=1), atol=1e-7)


def test_inputs_are_read_as_meant() -> None:
    """The vectors as characters: the states are those of the equations with vectors."""
    random = default_rng(3)
    inputs, h0 = random.normal(size=(5, 2, 3)), random.normal(size=(2, 4))
    U, W, b = random.normal(size=(4, 3)), random.normal(size=(4, 4)), random.normal(size=4)
    h = h0
    for x, found in zip(inputs, states_of(inputs, U, W, b, h0)[1:], strict=True):
        h = np.tanh(x @ U.T + h @ W.T + b)
        np.testing.assert_allclose(found, h, rtol=1e-13)
