"""Texts begin in a state that the model knows, which its checkpoint keeps."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from safetensors.numpy import load_file

from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.rnn import states
from charrnn.sampling.start import CANDIDATES, CONTEXT, passages_before, start_state
from charrnn.setup.loading import load_model
from charrnn.training.checkpoint import encode, load
from tests.conftest import RHYME, TINY

TANH = ACTIVATIONS["tanh"]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("blank", [True, False])
def test_it_is_the_state_after_a_passage_of_the_text(layers: int, blank: bool) -> None:
    """Of all passages before a blank line, or a newline, one of them; nearest to their mean."""
    params = random_problem(default_rng(1), layers=layers).params
    ids = default_rng(2).integers(1, 7, 9000)
    ids[::90] = 0
    if blank:
        ids[1::900] = 0
    found = start_state(params, TANH, passages_before(ids, newline=0))
    ends = [n for n in range(CONTEXT, len(ids)) if ids[n] == 0 and (not blank or ids[n - 1] == 0)]
    x = np.stack([ids[end - CONTEXT : end] for end in ends], axis=1)
    h = states(params, x, np.zeros((len(ends), params.state_size)), TANH)[-1]
    distances = np.linalg.norm(h - found, axis=1)
    assert distances.min() < 1e-12
    if len(ends) <= CANDIDATES:
        nearest = np.linalg.norm(h - h.mean(axis=0), axis=1).argmin()
        assert distances.argmin() == nearest


def test_short_texts_and_texts_without_newlines() -> None:
    params = random_problem(default_rng(1)).params
    assert passages_before(np.array([1, 2, 3, 4]), 0) is None
    assert passages_before(np.array([0, 2, 3, 4]), 0) is None  # nothing before it
    passages = passages_before(np.array([1, 2, 0, 3]), 0)
    found = start_state(params, TANH, passages)
    h = states(params, np.array([[1], [2]]), np.zeros((1, 8)), TANH)[-1, 0]
    np.testing.assert_allclose(found, h, rtol=1e-12)
    relu = params.map(lambda flat: 1e200 * np.abs(flat))
    assert start_state(relu, ACTIVATIONS["relu"], passages) is None


def test_each_checkpoint_keeps_that_of_its_weights(charrnn, text_file, trained) -> None:
    """Also a resumed run, bit for bit."""
    assert charrnn("train", text_file, *TINY, "--max-steps", 60, "--out", "again").code == 0
    one, other = (
        load_file(Path(run) / "checkpoints/last.safetensors") for run in (trained, "again")
    )
    assert np.array_equal(one["state.start"], other["state.start"])
    model = load_model(str(trained / "checkpoints/last.safetensors"))
    ids = model.vocabulary.encode(_text(RHYME * 12))
    ids = ids[: len(ids) - round(0.1 * len(ids))]
    newline = model.vocabulary.characters.index("\n")
    found = start_state(model.params, model.activation, passages_before(ids, newline))
    assert np.array_equal(found, model.start)


def _text(string: str):
    from charrnn.text.text import Text

    return Text.of(string)


def test_samples_begin_in_it(charrnn, trained) -> None:
    """Those without a prompt; one is read from the zero state, as it may be any passage."""
    model = load_model(str(trained))
    for prompt in ("", "The"):
        greedy = charrnn("sample", trained, "--prime", prompt, "--temperature", 0, "--length", 9)
        h, text = model.start[None], "\n"
        if prompt:
            h, text = np.zeros_like(h), prompt
        for _ in range(9):
            ids = model.vocabulary.encode(_text(text))
            after = states(model.params, ids[:, None], h, model.activation)[-1, 0]
            o = model.params.V @ after + model.params.c
            text += model.vocabulary.characters[int(o.argmax())]
        assert greedy.out.rstrip("\n") == text.removeprefix("\n").rstrip("\n")


def test_lines_and_documents_begin_from_zero(charrnn, text_file) -> None:
    for kind in ("lines", "documents"):
        settings = [*TINY, "--set", f"data.sequences={kind}", "--max-steps", 2, "--out", kind]
        assert charrnn("train", text_file, *settings).code == 0
        assert "state.start" not in load_file(f"{kind}/checkpoints/last.safetensors")
        assert load_model(kind).start is None


def test_a_checkpoint_without_it_samples_from_zero(charrnn, trained, tmp_path) -> None:
    """As those of versions 2 and 3 do."""
    checkpoint = load(trained / "checkpoints/best.safetensors")
    old = tmp_path / "old.safetensors"
    old.write_bytes(encode(checkpoint.__class__(**{**vars(checkpoint), "start": None})))
    assert load_model(str(old)).start is None
    assert charrnn("sample", old, "--length", 9).code == 0


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (np.zeros(15, np.float32), "state.start is"),
        (np.zeros((1, 16), np.float32), "state.start is"),
        (np.zeros(16), "state.start is"),
        (np.full(16, np.nan, np.float32), "'state.start' is not finite"),
    ],
)
def test_a_forged_one_is_refused(charrnn, trained, tmp_path, start, words) -> None:
    checkpoint = load(trained / "checkpoints/best.safetensors")
    forged = tmp_path / "forged.safetensors"
    forged.write_bytes(encode(checkpoint.__class__(**{**vars(checkpoint), "start": start})))
    outcome = charrnn("sample", forged)
    assert (outcome.code, words in outcome.err) == (3, True), outcome.err


def test_inspect_shows_no_weight_of_it(charrnn, trained) -> None:
    shapes = json.loads(charrnn("inspect", trained, "--json").out)["shapes"]
    assert set(shapes) == set("UWVbc")
