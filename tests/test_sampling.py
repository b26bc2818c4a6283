"""Text comes from the model's own distribution, and the same seed gives the same text."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.commands.sample import Sampler
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.initialization import initial_params
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import MAX_BUFFERED_CHARACTERS, GeneratedTexts
from charrnn.text.escapes import unescaped
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from tests.conftest import RHYME, TINY

LOGITS = np.array([2.0, 0.0, 1.0, -1.0, 0.5])


def frequencies(choose, draws: int = 20_000) -> np.ndarray:
    o = np.repeat(LOGITS[None], draws, axis=0)
    return np.bincount(choose(o, default_rng(0).random(draws)), minlength=5) / draws


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_tempered_softmax(temperature: float) -> None:
    expected = softmax(LOGITS / temperature)
    np.testing.assert_allclose(frequencies(chooser(temperature)), expected, atol=0.015)


def test_temperature_0_takes_the_most_likely() -> None:
    assert frequencies(chooser(0))[0] == 1


@given(st.integers(1, 9))
def test_top_k_keeps_the_k_most_likely(k: int) -> None:
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


def test_min_p_keeps_those_likely_enough_after_the_other_restrictions() -> None:
    """Temperature, top-k, top-p and min-p act in this order; fractions of the highest remain."""
    for temperature in (0.5, 1.0, 3.0):
        probabilities = softmax(LOGITS / temperature)
        order = np.argsort(-LOGITS)
        for min_p in (0.01, 0.1, 0.3, 0.7):
            likely = {*np.flatnonzero(probabilities >= min_p * probabilities.max())}
            kept = frequencies(chooser(temperature, min_p=min_p), 8000)
            assert {*np.flatnonzero(kept)} == likely
            expected = np.where(kept > 0, probabilities, 0)
            np.testing.assert_allclose(kept, expected / expected.sum(), atol=0.02)
            first = probabilities[order[:4]]
            fewest = int(np.argmax(first.cumsum() >= 0.8 * first.sum())) + 1
            kept = frequencies(chooser(temperature, 4, 0.8, min_p), 8000)
            assert {*np.flatnonzero(kept)} == likely & {*order[:fewest]}


def test_min_p_0_is_no_restriction_and_1_is_greedy_but_for_ties() -> None:
    np.testing.assert_array_equal(frequencies(chooser()), frequencies(chooser(min_p=0.0)))
    assert frequencies(chooser(min_p=1.0))[0] == 1
    o, random = np.repeat([[1.0, 3.0, 3.0]], 4000, axis=0), default_rng(0).random(4000)
    counts = np.bincount(chooser(min_p=1.0)(o, random), minlength=3)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], 2000, atol=150)


def test_extreme_logits_and_temperatures_are_safe() -> None:
    o = np.array([[1e4, -1e4], [0.0, -np.float32(3e38)], [1.0, 1.0]])
    for temperature in (1e-308, 1e-6, 1.0, 1e6):
        for options in ({}, {"top_k": 2}, {"top_p": 0.5}, {"min_p": 1.0}):
            with np.errstate(over="ignore"):
                chosen = chooser(temperature, **options)(o, np.full(3, 1 - 2**-53))
            assert set(chosen) <= {0, 1}


ALPHABET = Vocabulary("abcdefg")
PROBLEM = random_problem(default_rng(0), batch_size=1)


def writing(
    count: int | None, beginning: str = "abca", temperature: float = 1.0, **options
) -> GeneratedTexts:
    options = {"delimiter": None, "length": 40, "random": default_rng} | options
    params = options.pop("params", PROBLEM.params)
    choose = options.pop("choose", chooser(temperature))
    return GeneratedTexts(
        params, ACTIVATIONS["tanh"], ALPHABET, beginning, choose=choose, count=count, **options
    )


def texts(*arguments, **options) -> list[str]:
    return ["".join(text) for text in writing(*arguments, **options)]


PINNED = [
    ({}, ["dcaaefdddffadadbfdcdabdd", "dfbfcdeddaddcecdbdbcdcdg", "ccebddbacddbddddfecbcdfe"]),
    (
        {"temperature": 0.7},
        ["dcbadfeddffadbdbedcdbbdd", "dfbfddeddbedcecdbdccdcdf", "ccebddbbcddbddddfedbcded"],
    ),
    (
        {"choose": (1.3, 4, 0.8)},
        ["cdddcbcccbbdbdcdbbddddbb", "cfdbddcdcdbbdbdcddddcdcb", "ddcdccdddbbddbdcccdddbcb"],
    ),
    ({"delimiter": "b"}, ["dcaaefdddffadad", "df", "cce"]),
]


@pytest.mark.parametrize(("options", "expected"), PINNED)
def test_a_seed_gives_the_text_that_it_always_gave(options, expected) -> None:
    if "choose" in options:
        options = {"choose": chooser(*options["choose"])}
    assert texts(3, length=24, **options) == expected
    scored = writing(3, length=24, scored=True, **options).scored_texts()
    assert [text for text, _ in scored] == expected


@given(st.sampled_from([0.0, 0.6, 2.0]), st.sampled_from([None, "b"]), st.integers(1, 5))
def test_log_probabilities_are_those_of_the_network(temperature, delimiter, count) -> None:
    """At temperature 1 and without restriction, whatever the text was sampled with."""
    prompt = "aca"
    choose = chooser(temperature, 5, min_p=0.05)
    options = {"choose": choose, "delimiter": delimiter, "scored": True, "length": 20}
    for text, scores in writing(count, prompt, **options).scored_texts():
        read = ALPHABET.encode(Text.of((delimiter or "") + prompt + text))
        h = states(PROBLEM.params, read[:, None], np.zeros((1, 8)), ACTIVATIONS["tanh"])
        probabilities = softmax(logits(PROBLEM.params, h[1:-1, 0]))
        expected = np.log(probabilities[np.arange(len(read) - 1), read[1:]])
        assert len(scores) == len(text)
        np.testing.assert_allclose(scores, expected[len(expected) - len(text) :], rtol=1e-9)


def test_the_probabilities_of_all_next_characters_sum_to_1() -> None:
    """Each is the score of a text that begins with it."""
    total = 0.0
    for id in range(len(ALPHABET)):

        def choose(o, random, id=id):
            return np.full(len(o), id)

        ((_, scores),) = writing(1, length=1, choose=choose, scored=True).scored_texts()
        total += np.exp(scores[0])
    assert total == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("count", [1, 3])
def test_generation_continues_from_the_state_after_the_prompt(count: int) -> None:
    for text in texts(count, "abca", temperature=0):
        read = ALPHABET.encode(Text.of("abca" + text))
        h = states(PROBLEM.params, read[:, None], np.zeros((1, 8)), ACTIVATIONS["tanh"])
        greedy = logits(PROBLEM.params, h[1:, 0]).argmax(axis=1)
        assert ALPHABET.decode(greedy[3:-1]) == text


@given(
    st.integers(1, 12), st.integers(1, 5), st.integers(0, 30), st.sampled_from(["c", "ab", None])
)
def test_a_text_does_not_depend_on_those_beside_it(count, lanes, length, until) -> None:
    """Texts of unequal length, with random numbers that depend on the index of the text."""
    together = texts(count, length=length, until=until, lanes=lanes)
    for number, text in enumerate(together):
        alone = texts(
            1, length=length, until=until, random=lambda _, number=number: default_rng(number)
        )
        assert alone == [text]
        assert len(text) <= length
        if until and until in text:
            assert text.index(until) == len(text) - len(until)
        else:
            assert len(text) == length


def test_the_first_text_is_bit_identical_for_any_count() -> None:
    """A single lane would use a different product, with different rounding."""
    params = initial_params(default_rng(0), 100, len(ALPHABET), dtype=np.float32)
    params.V[...] = np.eye(*params.V.shape)  # the logits are units of the state, not rounded
    seen = []
    for count in (1, 2, 5):
        seen.append([])

        def choose(o, random, states=seen[-1]):
            states.append(o[0].tobytes())
            return chooser()(o, random)

        "".join(next(iter(writing(count, "a", params=params, choose=choose))))
    assert len(seen[0]) == 40
    assert seen[0] == seen[1] == seen[2]


def test_texts_need_not_be_read_to_the_end() -> None:
    for lanes in (1, 2):
        several = writing(5, "a", length=30, lanes=lanes)
        assert [next(text) for text in several] == [text[0] for text in texts(5, "a")]


@pytest.mark.parametrize(
    ("length", "lanes", "most"), [(1000, 4, 4), (10**6, 32, MAX_BUFFERED_CHARACTERS // 10**6)]
)
def test_finished_texts_waiting_for_a_long_one_are_bounded(length, lanes, most) -> None:
    """While one text goes on, only so many short ones are started."""
    begun = []

    def choose(o, random):
        a, c = ALPHABET.encode(Text.of("ac"))
        return np.where(np.arange(len(o)) == 0, a, c)

    def random(number: int):
        begun.append(number)
        return default_rng(number)

    options = {"length": length, "lanes": lanes, "random": random, "choose": choose}
    first = next(iter(writing(None, "a", until="c", **options)))
    assert "".join(islice(first, 200)) == "a" * 200
    assert begun == list(range(len(begun)))
    assert most < len(begun) <= 4 * most


def test_same_seed_same_text_other_seed_other_text(charrnn, trained) -> None:
    texts = [charrnn("sample", trained, "--length", 80, "--seed", seed).out for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 80


def test_texts_may_be_generated_side_by_side(trained) -> None:
    sampler = Sampler(str(trained), length=40, seed=3)
    alone = sampler.samples(1).texts[0]
    both = zip(*(next(sampler.texts(2)) for _ in range(2)), strict=True)
    assert ["".join(pieces) for pieces in zip(*both, strict=True)] == [alone, alone]


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


@pytest.mark.parametrize("count", [1, 2])
def test_the_texts_of_a_temperature_do_not_depend_on_the_others(charrnn, trained, count) -> None:
    arguments = ["sample", trained, "-n", 30, "--count", count]
    alone = {t: charrnn(*arguments, "-t", t).out for t in (0.5, 1, 0)}
    for order in ([0.5, 1, 0], [1, 0.5], [0, 0.5, 0]):
        options = [word for t in order for word in ("-t", t)]
        expected = [f"----- temperature {t} -----\n{alone[t]}\n" for t in dict.fromkeys(order)]
        assert charrnn(*arguments, *options).out == "\n".join(expected)
        document = json.loads(charrnn(*arguments, *options, "--json").out)
        in_order = [text for t in dict.fromkeys(order) for text in alone[t].split("\n-----\n")]
        assert document["texts"] == in_order
        assert [one["temperature"] for one in document["generated"][::count]] == [
            *dict.fromkeys(order)
        ]


def test_short_options_are_the_long_ones(charrnn, trained) -> None:
    long = ["--length", 20, "--temperature", 0.5, "--prime", "The "]
    short = ["-n", 20, "-t", 0.5, "-p", "The "]
    assert charrnn("sample", trained, *long).out == charrnn("sample", trained, *short).out


def test_without_the_prompt_only_what_was_generated_is_printed(charrnn, trained) -> None:
    arguments = ["sample", trained, "-p", "The ", "-n", 20]
    whole, alone = charrnn(*arguments).out, charrnn(*arguments, "--no-prime").out
    assert (whole, len(alone)) == ("The " + alone, 20)
    document = json.loads(charrnn(*arguments, "--no-prime", "--json").out)
    assert document["texts"] == [document["generated"][0]["text"]] == [alone]
    assert document["prime"] == "The "


def test_the_mean_of_log_probabilities_is_that_of_eval(charrnn, trained) -> None:
    """All but the first character of a stream is predicted."""
    arguments = ["sample", trained, "-p", "T", "-n", 200, "--seed", 4, "-t", 0.9, "--min-p", 0.1]
    document = json.loads(charrnn(*arguments, "--json").out)
    Path("sampled.txt").write_text(document["texts"][0])
    score = json.loads(charrnn("eval", trained, "sampled.txt", "--json").out)
    (generated,) = document["generated"]
    assert score["characters"] == len(generated["log_probabilities"]) == 200
    assert generated["nats_per_character"] == pytest.approx(score["nats_per_character"], rel=1e-5)
    mean = -sum(generated["log_probabilities"]) / 200
    assert generated["nats_per_character"] == pytest.approx(mean)
    nothing = json.loads(charrnn("sample", trained, "-n", 0, "--json").out)["generated"]
    assert nothing == [
        {"temperature": 1, "text": "", "log_probabilities": [], "nats_per_character": None}
    ]


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
        ["--min-p", "1.5"],
        ["-t", "1", "-t", "nan"],
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


ESCAPED = {
    "\\n": "\n", "a\\tb": "a\tb", "\\\\n": "\\n", "\\x41\\u00e9": "Aé", "plain": "plain",
    "\\r\\n": "\r\n",
}  # fmt: skip


@pytest.mark.parametrize("written", ESCAPED)
def test_escapes_are_characters(written: str) -> None:
    assert unescaped(written, "until") == ESCAPED[written]


@given(st.text())
def test_a_text_with_its_backslashes_doubled_is_itself(text: str) -> None:
    assert unescaped(text.replace("\\", "\\\\"), "until") == text


def test_until_stops_at_an_escaped_newline(charrnn, trained) -> None:
    arguments = ["sample", trained, "--length", 200, "--until"]
    assert charrnn(*arguments, "\\n").out == charrnn(*arguments, "\n").out
    assert charrnn(*arguments, "\\n").out.count("\n") == 1


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("\\q", "unknown escape '\\\\q'"),
        ("end\\", "unknown escape"),
        ("ZZ", "character 'Z' (U+005A) at position 1 of --until"),
        ("a" * 41, "at most 40 are generated"),
    ],
)
def test_an_until_that_can_never_be_written_is_refused(charrnn, trained, until, words) -> None:
    outcome = charrnn("sample", trained, "--length", 40, "--until", until)
    assert (outcome.code, words in outcome.err) == (2, True), outcome.err
    assert not outcome.out


def test_until_cannot_have_the_end_of_a_line(charrnn, tmp_path) -> None:
    (tmp_path / "names.txt").write_text("Anna\nBernd\nCarla\nDora\n" * 9)
    settings = ["-c", "names", "--set", "model.hidden_size=8", "--max-steps", 2, "--out", "run"]
    assert charrnn("train", "names.txt", *settings).code == 0
    outcome = charrnn("sample", "run", "--until", "a\\n")
    assert (outcome.code, "which ends a text and is never written" in outcome.err) == (2, True)


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_without_the_training_text_novelty_asks_for_one(charrnn, tmp_path, change: str) -> None:
    text = tmp_path / "text.txt"
    text.write_text(RHYME)
    charrnn("train", text, *TINY, "--max-steps", 3, "--out", "run")
    text.unlink() if change == "removed" else text.write_text("another")
    found = charrnn("sample", "run", "--novelty", "-n", 5)
    assert (found.code, found.out) == (3, "")
    assert "give a text as --text" in " ".join(found.err.split())
