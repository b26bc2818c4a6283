"""The same network in PyTorch (the extra `bench`): nn.RNN of as many layers."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.rnn import logits, states
from charrnn.report.export_code import loading_code
from charrnn.training.checkpoint import load
from tests.conftest import UNSIZED
from tests.test_export import export, model_of, passage

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_logits_and_gradients_are_those_of_a_stack_in_pytorch(name, layers, bias) -> None:
    problem = random_problem(default_rng(1), 9, 6, 11, 3, bias, layers)
    params, (x, y, *_), h0, _ = problem
    named = dict(params.named())
    rnn = torch.nn.RNN(6, 9, layers, nonlinearity=name, bias=bias, dtype=torch.float64)
    output = torch.nn.Linear(9, 6, bias=bias, dtype=torch.float64)
    pairs = {"V": output.weight}  # ours → theirs
    for suffix, (U, W, *biases) in zip(params.layout.suffixes, rnn.all_weights, strict=True):
        pairs |= {f"U{suffix}": U, f"W{suffix}": W}
        if bias:
            pairs[f"b{suffix}"] = biases[0]
            torch.nn.init.zeros_(biases[1])
    if bias:
        pairs["c"] = output.bias
    with torch.no_grad():
        for parameter, theirs in pairs.items():
            theirs.copy_(torch.from_numpy(named[parameter]))
    assert pairs.keys() == named.keys()
    start = torch.from_numpy(np.stack([h0[:, 9 * n : 9 * n + 9] for n in range(layers)]))
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(x), 6).double()
    top, last = rnn(one_hot, start)
    o = output(top)
    loss = torch.nn.functional.cross_entropy(o.reshape(-1, 6), torch.from_numpy(y).reshape(-1))
    loss.backward()
    h = states(params, x, h0, ACTIVATIONS[name])
    np.testing.assert_allclose(logits(params, h[1:]), o.detach().numpy(), rtol=1e-12, atol=1e-14)
    found, gradient, carried = bptt(params, problem.window, h0, ACTIVATIONS[name])
    assert found == pytest.approx(loss.item(), rel=1e-13)
    for n in range(layers):
        theirs = last[n].detach().numpy()
        np.testing.assert_allclose(carried[:, 9 * n : 9 * n + 9], theirs, rtol=1e-12)
    for parameter, array in gradient.named():
        theirs = pairs[parameter].grad.numpy()
        np.testing.assert_allclose(array, theirs, rtol=1e-10, atol=1e-14, err_msg=parameter)


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_export_computes_the_same_in_pytorch(name, layers, bias, precision) -> None:
    """Loaded by the code that `charrnn export` shows."""
    model = model_of(name, layers, bias, precision)
    scope: dict[str, object] = {}
    exec("\n".join(loading_code(export(model, "model.safetensors"))), scope)
    ids, state, o, last = passage(model)
    module, start = scope["model"], torch.from_numpy(state)
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(ids), 5).to(start.dtype)
    with torch.no_grad():
        top, h = module.rnn(one_hot, start)
        found = module.linear(top)
    rtol = 1e-12 if precision == "float64" else 2e-5
    np.testing.assert_allclose(found, o, rtol=rtol, atol=rtol / 10)
    np.testing.assert_allclose(h, last, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_pytorch_modules_start_a_run(charrnn, text_file, dtype) -> None:
    """Of any precision, as PyTorch initialises them, with both biases."""
    safetensors = pytest.importorskip("safetensors.torch")
    characters = sorted(set(text_file.read_text()))
    Path("stoi.json").write_text(json.dumps({c: i for i, c in enumerate(characters)}))
    A = len(characters)
    torch.manual_seed(1)
    model = torch.nn.Module()
    model.rnn, model.decoder = torch.nn.RNN(A, 6, 2), torch.nn.Linear(6, A)
    model = model.to(getattr(torch, dtype))
    safetensors.save_file(model.state_dict(), "theirs.safetensors", metadata={"format": "pt"})
    arguments = ["--init-from", "theirs.safetensors", "--vocabulary", "stoi.json", *UNSIZED]
    assert charrnn("train", text_file, *arguments, "--max-steps", 0, "--out", "run").code == 0
    params = load(Path("run/checkpoints/best.safetensors")).params
    ids = np.random.default_rng(1).integers(0, A, (9, 2))
    h = states(params, ids, np.zeros((2, 12), params.dtype), ACTIVATIONS["tanh"])
    model = model.to(torch.float64 if dtype == "float64" else torch.float32)
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(ids), A)
    with torch.no_grad():
        found = model.decoder(model.rnn(one_hot.to(model.decoder.weight.dtype))[0])
    rtol = 1e-12 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(found, logits(params, h[1:]), rtol=rtol, atol=rtol / 10)
