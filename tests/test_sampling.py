"""Text comes from the model's own distribution, and the same seed gives the same text."""

import json
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states
from charrnn.sampling import chooser, generate, stream, until_string

LOGITS = np.array([2.0, 0.0, 1.0, -1.0, 0.5])


def frequencies(choose, draws: int = 20_000) -> np.ndarray:
    random = default_rng(0)
    return np.bincount([choose(LOGITS, random) for _ in range(draws)], minlength=5) / draws


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_tempered_softmax(temperature: float) -> None:
    expected = softmax(LOGITS / temperature)
    np.testing.assert_allclose(frequencies(chooser(temperature)), expected, atol=0.015)


def test_temperature_0_takes_the_likeliest() -> None:
    assert frequencies(chooser(0))[0] == 1


@given(st.integers(1, 9))
def test_top_k_keeps_the_k_likeliest(k: int) -> None:
    kept = np.flatnonzero(frequencies(chooser(top_k=k), 3000))
    assert set(kept) == set(np.argsort(-LOGITS)[:k])


def test_top_p_keeps_the_fewest_that_reach_p() -> None:
    probabilities = softmax(LOGITS)
    order = np.argsort(-LOGITS)
    for p in (0.0, 0.3, 0.6, 0.85, 0.99):
        kept = np.flatnonzero(frequencies(chooser(top_p=p), 5000))
        reached = probabilities[order].cumsum()
        fewest = int(np.argmax(reached >= p)) + 1
        assert set(kept) == set(order[:fewest])


def test_extreme_logits_and_temperatures_are_safe() -> None:
    random = default_rng(0)
    for o in (np.array([1e4, -1e4]), np.array([0.0, -np.float32(3e38)])):
        for temperature in (1e-6, 1.0, 1e6):
            assert chooser(temperature)(o, random) in (0, 1)


def test_generates_from_the_state_that_the_prompt_leaves() -> None:
    problem = random_problem(default_rng(0), batch_size=1)
    prime = problem.window.x[:, 0]
    tanh = ACTIVATIONS["tanh"]
    written = list(islice(generate(problem.params, tanh, prime, chooser(0), default_rng(0)), 10))
    read = np.concatenate([prime, written])
    h = states(problem.params, read[:, None], np.zeros((1, 8)), tanh)
    greedy = logits(problem.params, h[1:, 0]).argmax(axis=1)
    assert greedy[len(prime) - 1 : -1].tolist() == written


def test_until_includes_the_string_and_stops() -> None:
    assert "".join(until_string(iter("abcabcd"), "cab")) == "abcab"
    assert "".join(until_string(iter("aab"), "ab")) == "aab"
    assert "".join(until_string(iter("abc"), None)) == "abc"
    assert "".join(until_string(iter("abc"), "x")) == "abc"


def test_streams_differ_by_number_and_by_seed() -> None:
    first = {stream(seed, number).random() for seed in range(3) for number in range(3)}
    assert len(first) == 9
    assert stream(1, 2).random() == stream(1, 2).random()


def test_same_seed_same_text_other_seed_other_text(charrnn, trained) -> None:
    texts = [charrnn("sample", trained, "--length", 80, "--seed", seed).out for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 80


def test_stdout_is_the_text_and_nothing_else(charrnn, trained) -> None:
    outcome = charrnn("sample", trained, "--prime", "The ", "--length", 30)
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.startswith("The ")
    assert len(outcome.out) == 34


def test_count_until_and_json(charrnn, trained) -> None:
    arguments = ["--count", 3, "--length", 60, "--until", "\n"]
    document = json.loads(charrnn("sample", trained, *arguments, "--json").out)
    assert len(set(document["texts"])) > 1
    assert all("\n" not in text[:-1] for text in document["texts"])
    plain = charrnn("sample", trained, *arguments).out
    assert plain.split("\n-----\n") == document["texts"]


def test_prime_file(charrnn, trained, tmp_path) -> None:
    (tmp_path / "p.txt").write_bytes(b"The\r\nwater")
    outcome = charrnn("sample", trained, "--prime-file", tmp_path / "p.txt", "--length", 1)
    assert outcome.out.startswith("The\nwater")


def test_unknown_characters_of_the_prompt(charrnn, trained) -> None:
    outcome = charrnn("sample", trained, "--prime", "The séa")
    assert outcome.code == 2
    assert "character 'é' (U+00E9) at position 6 of the prompt" in outcome.err
    assert "nearest is 'e'; or choose --unknown skip" in outcome.err
    skipped = charrnn("sample", trained, "--prime", "The séa", "--unknown", "skip", "--length", 0)
    assert skipped.out == "The sa"
    nothing = charrnn("sample", trained, "--prime", "éé", "--unknown", "skip", "--length", 5)
    assert len(nothing.out) == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["--temperature", "-1"],
        ["--top-k", "0"],
        ["--top-p", "2"],
        ["--length", "-5"],
        ["--until", ""],
        ["--prime", "a", "--prime-file", "b"],
        ["--prime-file", "/none"],
        ["--unknown", "guess"],
        ["--temperature", "nan"],
        ["--temperature", "inf"],
    ],
)
def test_bad_options_exit_2(charrnn, trained, arguments) -> None:
    outcome = charrnn("sample", trained, *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert outcome.out == ""
