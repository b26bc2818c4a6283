"""Runs that start from a trained model, and runs resumed with another text."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from charrnn.errors import InputError
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.initialization import inherit, initial_params
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.runs.resume import resumed_run
from charrnn.text.corpus import build_corpus
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import load
from charrnn.wording import call
from tests.conftest import RHYME, TINY, UNSIZED

STRANGE = RHYME.replace("the", "thé").replace("a", "ä") * 12


def params_of(alphabet: int, seed: int, bias: bool, layers: int) -> Params:
    kinds = {"input": "glorot", "recurrent": "orthogonal", "output": "glorot"}
    random = np.random.default_rng(seed)
    params = initial_params(
        random, 7, alphabet, layers=layers, bias=bias, recurrent_gain=1.0, dtype="float64", **kinds
    )
    if params.c is not None:
        params.c[...] = random.normal(size=alphabet)
    return params


def weights(path: Path, name: str) -> Params:
    return load(path / f"checkpoints/{name}.safetensors").params


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_an_extended_model_is_the_old_one_on_the_old_characters(bias, layers) -> None:
    old, new = params_of(5, 1, bias, layers), params_of(8, 2, bias, layers)
    drawn = new.layers[0].U.copy()
    inherit(new, old)
    x = np.random.default_rng(3).integers(0, 5, (20, 3))
    h0, tanh = np.zeros((3, 7 * layers)), ACTIVATIONS["tanh"]
    one, other = (states(params, x, h0, tanh) for params in (old, new))
    assert np.array_equal(one, other)
    assert np.allclose(logits(old, one[1:]), logits(new, other[1:])[..., :5], rtol=1e-14)
    assert np.array_equal(new.layers[0].U[:, 5:], drawn[:, 5:])
    if bias:
        assert (new.c[5:] == old.c.min()).all()


def test_new_characters_follow_the_known_ones() -> None:
    known = Vocabulary("zyx")
    corpus = build_corpus(Text.of("xyab" * 9), 0.0, known=known, extend=True)
    assert corpus.vocabulary.characters == "zyxab"
    assert corpus.vocabulary.decode(corpus.training) == "xyab" * 9
    same = build_corpus(Text.of("xyxz" * 9), 0.0, known=known)
    assert same.vocabulary == known
    with pytest.raises(InputError, match=r"2 characters .* 3 .* 'a' \(U\+0061\), 'b'"):
        build_corpus(Text.of("xyab" * 9), 0.0, known=known)
    folded = build_corpus(Text.of("xyab" * 9 + "cdz"), 0.0, min_count=2, known=known, extend=True)
    assert folded.vocabulary.characters == "zyxab\ufffd"


@pytest.mark.parametrize("parent", ["trained", "stacked"])
def test_a_run_starts_from_the_weights_of_another(
    charrnn, request, text_file, tmp_path, parent
) -> None:
    """The network is that of the checkpoint, everything else that of the config."""
    trained = request.getfixturevalue(parent)
    arguments = ["train", text_file, *UNSIZED, "--init-from", trained, "--seed", 5]
    assert charrnn(*arguments, "--max-steps", 1, "--out", "run").code == 0
    best = weights(trained, "best").flat
    path = tmp_path / "run/checkpoints/last.safetensors"
    model = load(path).config["model"]
    sizes = {"trained": (16, 1, 0), "stacked": (8, 2, 0)}[parent]
    assert (model["hidden_size"], model["layers"], model["dropout"]) == sizes
    assert model["init_from"] == str(trained / "checkpoints/best.safetensors")
    slow = ["--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1e-30"]
    assert charrnn(*arguments, *slow, "--max-steps", 1, "--out", "still").code == 0
    assert np.array_equal(weights(tmp_path / "still", "last").flat, best)


@pytest.mark.parametrize("parent", ["trained", "stacked"])
def test_new_characters_are_refused_or_learnt(charrnn, request, tmp_path, parent) -> None:
    trained = request.getfixturevalue(parent)
    (tmp_path / "text").write_text(STRANGE)
    arguments = ["train", "text", "--init-from", trained, "--max-steps", 20, "--out", "run"]
    refused = charrnn(*arguments)
    assert refused.code == 3
    assert "'é' (U+00E9)" in refused.err
    assert "--extend-vocabulary" in refused.err
    assert not (tmp_path / "run").exists()
    arguments += [*UNSIZED, "--set", "schedule.name=constant", "--extend-vocabulary"]
    found = charrnn(*arguments)
    assert found.code == 0
    assert "and 2 new characters" in found.err
    assert charrnn("sample", "run", "--prime", "thé ä").code == 0
    whole = weights(tmp_path / "run", "last")
    assert (
        charrnn(*arguments[:-1], "--extend-vocabulary", "--out", "cut", "--max-steps", 9).code == 0
    )
    assert charrnn("train", "--resume", "cut", "--max-steps", 20).code == 0
    assert np.array_equal(whole.flat, weights(tmp_path / "cut", "last").flat)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--set", "model.hidden_size=17"], 2, "model.hidden_size is 17"),
        (["--hidden-size", "17"], 2, "remove --hidden-size, from the config too"),
        (["--set", "model.bias=false"], 2, "model.bias is false"),
        (["--set", "model.activation=relu"], 2, "model.activation is relu"),
        (["--layers", 2], 2, "model.layers is 2, but"),
        (["--set", "model.layers=16"], 2, "model.layers is 16, but"),
        (["--init-from", "nowhere"], 3, "no checkpoint 'nowhere'"),
    ],
)
def test_a_parent_that_does_not_fit(charrnn, trained, text_file, arguments, code, message) -> None:
    found = charrnn("train", text_file, "--init-from", trained, *arguments)
    assert found.code == code
    assert message in found.err


def test_a_stack_is_not_a_parent_of_fewer_layers(charrnn, stacked, text_file) -> None:
    for command in ("train", "inspect"):
        arguments = ["--init-from", stacked, "--set", "model.layers=1"]
        found = charrnn(command, text_file, *arguments)
        assert found.code == 2
        assert "model.layers is 1, but" in found.err
        assert "has 2" in found.err
    same = ["--init-from", stacked, "--layers", 2, *UNSIZED, "--set", "model.dropout=0.5"]
    assert charrnn("train", text_file, *same, "--max-steps", 1, "--out", "run").code == 0


def test_nothing_to_extend(charrnn, text_file) -> None:
    found = charrnn("train", text_file, "--extend-vocabulary")
    assert found.code == 2
    assert "--init-from" in found.err


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: text.replace("lamp", "damp"), r"SHA-256 is \w{12}…, not \w{12}…"),
        (lambda text: text + "more", r"other has more than the 2,196 characters of the text"),
        (lambda text: text[:-4], r"has 2,192 characters, not 2,196"),
        (lambda text: text.replace("w", "ŵ"), r"it has 'ŵ' \(U\+0175\); it lacks 'w' \(U\+0077\)"),
    ],
)
def test_another_text_is_refused_with_the_difference(trained, tmp_path, change, what) -> None:
    size = len(RHYME * 12)
    (tmp_path / "other").write_text(change(RHYME * 12))
    what = what.replace("2,192", f"{size - 4:,}").replace("2,196", f"{size:,}")
    with pytest.raises(InputError, match=what) as caught:
        resumed_run(str(trained), [str(tmp_path / "other")], {"max_steps": 90})
    assert call("train", "TEXT", init_from=str(trained)) in caught.value.hint


def test_a_model_that_knows_rare_characters_takes_any_text(charrnn, text_file, tmp_path) -> None:
    rare = ["--set", "data.min_count=20"]
    assert charrnn("train", text_file, *TINY, *rare, "--max-steps", 3, "--out", "run").code == 0
    (tmp_path / "other").write_text(STRANGE)
    for text, unknown in ((text_file, 0), ("other", STRANGE.count("é") + STRANGE.count("ä"))):
        arguments = ["--init-from", "run", *UNSIZED, "--max-steps", 3, "--out", f"{unknown}"]
        found = charrnn("train", text, *arguments)
        assert found.code == 0
        assert "kinds unknown read as U+FFFD" in found.err or "kind unknown" in found.err
        again = charrnn("train", "--resume", f"{unknown}", "--max-steps", 5)
        assert again.code == 0
    one, other = (load(tmp_path / f"{run}/checkpoints/last.safetensors") for run in ("run", "0"))
    assert one.vocabulary == other.vocabulary


def test_a_parent_may_be_named_in_the_config(charrnn, trained, text_file) -> None:
    found = charrnn("inspect", text_file, "--set", f"model.init_from={trained}", "--json")
    assert found.code == 0
    assert json.loads(found.out)["hidden_size"] == 16
    assert charrnn("inspect", text_file, "--init-from", trained, "--json").code == 0


def test_a_run_is_resumed_without_its_parent(charrnn, trained, text_file, tmp_path) -> None:
    shutil.copytree(trained, tmp_path / "parent")
    arguments = ["train", text_file, *UNSIZED, "--init-from", "parent", "--out", "run"]
    assert charrnn(*arguments, "--max-steps", 3).code == 0
    shutil.rmtree(tmp_path / "parent")
    assert charrnn("train", "--resume", "run", "--max-steps", 6).code == 0
    gone = charrnn(*arguments, "--max-steps", 3)
    assert gone.code == 3
    assert "there is no checkpoint 'parent'" in gone.err
