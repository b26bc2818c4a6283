"""The code of docs/export.md runs, and computes what the model does."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from charrnn.arrays import Array
from charrnn.model.rnn import logits, states
from charrnn.setup.loading import Model, load_model
from tests.conftest import UNSIZED

PAGE = (Path(__file__).parent.parent / "docs/export.md").read_text(encoding="utf-8")
GREATEST_LENGTH = 15  # lines of the streaming example


def blocks(heading: str) -> list[str]:
    """The Python code below a heading."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return re.findall(r"```python\n(.*?)```", section, re.S)


def read(model: Model, text: str) -> tuple[Array, Array]:
    """The logits (T, B, A) and last states (L, B, H) of a text read from the zero state."""
    ids = np.array([model.vocabulary.characters.index(character) for character in text])
    h = states(model.params, ids[:, np.newaxis], np.zeros((1, model.params.state_size), "f4"),
               model.activation)  # fmt: skip
    return logits(model.params, h[1:]), model.params.by_layer(h[-1])


@pytest.mark.parametrize("run", ["trained", "stacked"])
def test_onnxruntime(charrnn, request, capfd, run) -> None:
    """What it generates ends in the state that the model has after that text."""
    (code,) = blocks("onnxruntime")
    assert len(code.splitlines()) <= GREATEST_LENGTH
    trained = request.getfixturevalue(run)
    assert charrnn("export", trained, "model.onnx").code == 0
    scope: dict[str, object] = {}
    exec(code, scope)
    text = "The " + capfd.readouterr().out
    assert len(text) == 204
    o, state = read(load_model(str(trained)), text[:-1])
    np.testing.assert_allclose(scope["state"], state, atol=1e-4)
    np.testing.assert_allclose(scope["logits"][-1], o[-1], atol=1e-3)


def test_numpy(charrnn, trained) -> None:
    (code,) = blocks("NumPy")
    assert charrnn("export", trained, "model.npz").code == 0
    scope: dict[str, object] = {}
    exec(code, scope)
    o, _ = read(load_model(str(trained)), "The keeper")
    np.testing.assert_allclose(scope["logits"], o[-1, 0], rtol=1e-4, atol=1e-5)


def test_pytorch(charrnn, trained, text_file) -> None:
    """There and back again."""
    pytest.importorskip("torch")
    assert charrnn("export", trained, "model.safetensors").code == 0
    model = load_model(str(trained))
    sizes = {"72": str(len(model.vocabulary)), "384": str(model.params.hidden_size)}
    scope: dict[str, object] = {"vocabulary": model.vocabulary.characters}
    for code in blocks("PyTorch"):
        exec(re.sub("72|384", lambda found: sizes[found[0]], code), scope)
    o, state = read(model, model.vocabulary.characters[:3])
    np.testing.assert_allclose(scope["logits"], o, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scope["state"], state, atol=1e-5)
    (code,) = blocks("The other way: weights of another program")
    exec(code, scope)
    (command,) = re.findall(r"^\$ charrnn (.*)$", PAGE, re.M)
    arguments = command.replace("my-text.txt", str(text_file)).split()
    assert charrnn(*arguments, *UNSIZED, "--max-steps", 0, "--out", "run").code == 0
    assert np.array_equal(load_model("run").params.flat, model.params.flat)


def test_names_in_the_tables_are_those_in_the_files(charrnn, stacked) -> None:
    assert charrnn("export", stacked, "model.safetensors").code == 0
    for name in load_file("model.safetensors"):
        assert f"`{name}`" in PAGE or f"`{name[:-1]}0`" in PAGE
