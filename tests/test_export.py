"""A network in the files of other frameworks computes the same logits."""

import json
import shutil
import sys
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.random import default_rng
from safetensors import safe_open

from charrnn.arrays import Array
from charrnn.commands.export import export_model
from charrnn.config.layers import load_config
from charrnn.errors import InputError, UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.params import Layout, Params, shapes
from charrnn.model.rnn import joint, logits, states
from charrnn.report.export_code import loading_code
from charrnn.report.player import player_page
from charrnn.results import ExportReport
from charrnn.setup.loading import Model
from charrnn.text.text import TextMark
from charrnn.text.vocabulary import Vocabulary

H, A, T, B = 7, 5, 9, 3
CHARACTERS = '\n"é\x00\U0001f70a'
NETWORKS = [*product(("tanh", "sigmoid", "relu"), (1, 2, 3), (True, False))]
LITERAL = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
}


def model_of(
    activation: str = "tanh", layers: int = 1, bias: bool = True, precision: str = "float32"
) -> Model:
    """A model with random weights and biases."""
    layout = Layout(shapes(H, A, bias, layers))
    flat = default_rng(layers).normal(0, 0.4, layout.size)
    sizes = {"hidden_size": H, "layers": layers, "activation": activation, "bias": bias}
    config = load_config(None, [], {"model": sizes, "training": {"precision": precision}})
    return Model(
        "model.safetensors", Params(layout, flat.astype(precision)), Vocabulary(CHARACTERS),
        ACTIVATIONS[activation], config, TextMark(9, "0" * 64), 12,
    )  # fmt: skip


def export(model: Model, path: str) -> ExportReport:
    return export_model(model, path, player_page)


def passage(model: Model) -> tuple[Array, Array, Array, Array]:
    """Ids (T, B), a state (L, B, H), and what the model makes of them: logits and states."""
    random, params = default_rng(2), model.params
    ids = random.integers(0, A, (T, B))
    state = random.normal(0, 0.5, (params.depth, B, H)).astype(params.dtype)
    h = states(params, ids, joint(state), model.activation)
    return ids, state, logits(params, h[1:]), params.by_layer(h[-1])


@pytest.mark.parametrize(("activation", "layers", "bias"), NETWORKS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_onnxruntime_computes_the_same(activation, layers, bias, precision) -> None:
    """In float32, whatever the checkpoint's precision; and in pieces as well as at once."""
    model = model_of(activation, layers, bias, precision)
    report = export(model, "model.onnx")
    assert report.precision == "float32"
    assert bool(report.notes) == (precision == "float64")
    session = onnxruntime.InferenceSession("model.onnx")
    ids, state, o, last = passage(model)
    found, next_state = session.run(None, {"ids": ids, "state": state.astype("f4")})
    np.testing.assert_allclose(found, o, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(next_state, last, rtol=2e-5, atol=2e-6)
    carried, pieces = state.astype("f4"), []
    for piece in np.split(ids, [1, 2, 6]):
        part, carried = session.run(["logits", "next_state"], {"ids": piece, "state": carried})
        pieces.append(part)
    np.testing.assert_allclose(np.concatenate(pieces), found, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(carried, next_state, rtol=1e-5, atol=1e-6)


def test_the_onnx_model_says_what_it_is() -> None:
    export(model_of("relu", 2), "model.onnx")
    model = onnx.load("model.onnx")
    onnx.checker.check_model(model, full_check=True)
    about = {one.key: json.loads(one.value) for one in model.metadata_props}
    assert about["vocabulary"] == list(CHARACTERS)
    assert (about["activation"], about["sequences"], about["steps"]) == ("relu", "stream", 12)
    assert [node.op_type for node in model.graph.node].count("RNN") == 2
    assert "int64[T,B] ids, float[2,B,7] state" in onnx.printer.to_text(model)
    session = onnxruntime.InferenceSession("model.onnx")
    shapes = {one.name: one.shape for one in (*session.get_inputs(), *session.get_outputs())}
    assert shapes["logits"] == ["T", "B", A]
    assert shapes["next_state"] == [2, "B", H]


def as_torch_documents(arrays: dict[str, Array], ids: Array, h0: Array, f) -> tuple[Array, Array]:
    """torch.nn.RNN and torch.nn.Linear, literally as PyTorch's documentation defines them.

    h_t = tanh(x_t W_ih^T + b_ih + h_(t-1) W_hh^T + b_hh); y = x A^T + b.
    """
    outputs, last = np.eye(A)[ids], []
    for n in range(len(h0)):
        W_ih, W_hh = arrays[f"rnn.weight_ih_l{n}"], arrays[f"rnn.weight_hh_l{n}"]
        b_ih, b_hh = (arrays.get(f"rnn.bias_{of}_l{n}", np.zeros(H)) for of in ("ih", "hh"))
        h, inputs, outputs = h0[n], outputs, []
        for x in inputs:
            h = f(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
            outputs.append(h)
        last.append(h)
    y = np.array(outputs) @ arrays["linear.weight"].T + arrays.get("linear.bias", np.zeros(A))
    return y, np.array(last)


@pytest.mark.parametrize(
    ("activation", "layers", "bias"), [one for one in NETWORKS if one[0] != "sigmoid"]
)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_safetensors_are_the_state_of_pytorch_modules(activation, layers, bias, precision) -> None:
    model = model_of(activation, layers, bias, precision)
    report = export(model, "model.safetensors")
    assert (report.precision, report.notes) == (precision, ())
    with safe_open("model.safetensors", framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        assert json.loads(file.metadata()["vocabulary"]) == list(CHARACTERS)
        assert json.loads(file.metadata()["hidden_size"]) == H
    ids, state, o, last = passage(model)
    y, h = as_torch_documents(arrays, ids, state, LITERAL[activation])
    tolerance = (
        {"rtol": 1e-12, "atol": 1e-14} if precision == "float64" else {"rtol": 2e-5, "atol": 2e-6}
    )
    np.testing.assert_allclose(o, y, **tolerance)
    np.testing.assert_allclose(last, h, **tolerance)
    assert all(array.dtype == precision for array in arrays.values())
    seconds = [array for name, array in arrays.items() if "bias_hh" in name]
    assert len(seconds) == layers * bias
    assert not any(array.any() for array in seconds)


@pytest.mark.parametrize(("activation", "layers", "bias"), NETWORKS)
def test_npz_has_the_arrays_of_the_equations(activation, layers, bias) -> None:
    model = model_of(activation, layers, bias, "float64")
    export(model, "model.npz")
    with np.load("model.npz", allow_pickle=False) as file:
        arrays = dict(file)
    ids, state, o, _ = passage(model)
    assert json.loads(str(arrays["vocabulary"])) == list(CHARACTERS)
    assert json.loads(str(arrays["activation"])) == activation
    up = np.eye(A)[ids]
    for n in range(layers):
        U, W, b = (arrays.get(f"{name}{n + 1 if layers > 1 else ''}", 0) for name in "UWb")
        h, inputs, up = state[n], up, []
        for x in inputs:
            h = LITERAL[activation](x @ U.T + h @ W.T + b)  # (22)
            up.append(h)
    y = np.array(up) @ arrays["V"].T + arrays.get("c", 0)
    np.testing.assert_allclose(o, y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["onnx", "npz", "safetensors"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_code_that_is_shown_runs(charrnn, kind, bias) -> None:
    """For each precision, with names that need quotes."""
    if kind == "safetensors":
        pytest.importorskip("torch")
    for precision in ("float32", "float64"):
        report = export(model_of("relu", 2, bias, precision), f"it's {precision}.{kind}")
        scope: dict[str, object] = {}
        exec("\n".join(loading_code(report)), scope)
        if kind == "safetensors":
            assert str(scope["model"].linear.weight.dtype) == f"torch.{precision}"
            assert scope["model"].rnn.nonlinearity == "relu"
        elif kind == "npz":
            assert scope["vocabulary"] == list(CHARACTERS)
        else:
            assert scope["logits"].shape == (1, 1, A)


def test_the_command(charrnn, stacked) -> None:
    found = charrnn("export", stacked, "model.onnx", "--json")
    report = json.loads(found.out)
    assert found.code == 0
    assert report["bytes"] == Path("model.onnx").stat().st_size
    assert (report["kind"], report["layers"], report["hidden_size"]) == ("onnx", 2, 8)
    assert (
        report["weights"] == 8 * report["alphabet_size"] * 2 + 3 * 64 + 16 + report["alphabet_size"]
    )
    found = charrnn("export", stacked, "model.safetensors")
    assert (found.code, found.out) == (0, "model.safetensors\n")
    assert "model.rnn = torch.nn.RNN(" in found.err
    assert charrnn("export", stacked, "one.html").code == 0
    assert charrnn("report", stacked, "--play-only", "--out", "other.html").code == 0
    assert Path("one.html").read_bytes() == Path("other.html").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("model.pt",), 2, ".onnx for onnxruntime, .safetensors for PyTorch, .npz for NumPy or"),
        (("model",), 2, "format of model is unknown"),
        (("no/model.npz",), 2, "no/model.npz cannot be written"),
        (("checkpoints/best.safetensors",), 2, "would overwrite what is read"),
        (("checkpoints/last.safetensors",), 2, "is a file of a run"),
        (("checkpoints/new.safetensors",), 2, "is a file of a run"),
        (("copy.safetensors",), 2, "copy.safetensors may be a checkpoint"),
    ],
)
def test_nothing_is_overwritten(charrnn, trained, monkeypatch, arguments, code, words) -> None:
    shutil.copytree(trained, "run")
    monkeypatch.chdir("run")
    copy, last = Path("copy.safetensors"), Path("checkpoints/last.safetensors")
    copy.write_bytes(last.read_bytes())
    outcome = charrnn("export", ".", *arguments)
    assert (outcome.code, words in outcome.err) == (code, True), outcome.err
    assert copy.read_bytes() == last.read_bytes()
    assert not Path("checkpoints/new.safetensors").exists()


def test_an_export_replaces_an_export(charrnn, trained, stacked) -> None:
    for run in (trained, stacked):
        assert charrnn("export", run, "model.safetensors").code == 0


def test_pytorch_has_no_sigmoid() -> None:
    with pytest.raises(UsageError, match="sigmoid units") as caught:
        export(model_of("sigmoid"), "model.safetensors")
    assert ".onnx, .npz or .html" in str(caught.value.hint)
    assert not Path("model.safetensors").exists()


def test_what_float32_cannot_hold_is_refused() -> None:
    model = model_of(precision="float64")
    model.params.V[0, 0] = 1e300
    for kind in ("onnx", "html"):
        with pytest.raises(InputError, match="overflow float32"):
            export(model, f"model.{kind}")
    export(model, "model.npz")


def test_without_onnx_the_error_says_how_to_install_it(charrnn, trained, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    outcome = charrnn("export", trained, "model.onnx")
    assert outcome.code == 2
    assert "an export to .onnx needs onnx" in outcome.err
    assert "install it: " in outcome.err
    assert charrnn("export", trained, "model.npz").code == 0
