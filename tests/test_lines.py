"""Lines as separate sequences: batches, masks, scores and samples."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.config.layers import load_config
from charrnn.errors import InputError
from charrnn.events import Evaluated, Stepped
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.dropout import Dropout
from charrnn.runs.start import new_run
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.setup.loading import load_model
from charrnn.system.resources import text_resources
from charrnn.text.corpus import build_corpus
from charrnn.text.line_windows import LineWindows
from charrnn.text.lines import Lines
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import NO_TARGET, Window
from tests.conftest import TINY
from tests.runs import check_resume_and_workers, train
from tests.scores import evaluate

NAMES = "Ann\nBartholomew\nCy\n\nDora\nEd\nFlorentine\n   \nGus\nHal\nIda\nJo\n"
WORDS = st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=20)
LINES = Lines()
SETTINGS = [*TINY, "--set", "data.sequences=lines", "--set", "data.validation_fraction=0.2"]


@pytest.fixture(scope="module")
def line_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from charrnn.cli import main

    folder = tmp_path_factory.mktemp("lines")
    (folder / "names.txt").write_text(NAMES * 4)
    out = folder / "run"
    names = str(folder / "names.txt")
    assert main.run(["train", names, *SETTINGS, "--max-steps", "90", "--out", str(out)]) == 0
    return out


def written_out(window: Window, vocabulary: Vocabulary) -> list[str]:
    """The lines of a window's targets."""
    return [vocabulary.decode(lane[lane != NO_TARGET]) for lane in window.y.T]


@given(WORDS, st.integers(1, 7), st.integers(0, 3))
def test_an_epoch_has_each_line_once(words: list[str], batch_size: int, seed: int) -> None:
    corpus = build_corpus(Text.of("\n".join([*words, ""])), 0.0, LINES)
    batches = LineWindows(corpus.training, batch_size, seed)
    for epoch in range(2):
        seen = []
        for place in range(batches.per_epoch):
            window = batches[epoch * batches.per_epoch + place]
            x, y, fresh, carried, *_ = window
            assert x.shape == y.shape
            assert 1 <= x.shape[1] <= batch_size
            assert carried is None
            assert fresh.all()
            newline = corpus.vocabulary.characters.index("\n")
            assert (x[0] == newline).all()  # the start symbol
            inside = y[:-1] != NO_TARGET
            np.testing.assert_array_equal(
                x[1:][inside & (y[1:] != NO_TARGET)], y[:-1][inside & (y[1:] != NO_TARGET)]
            )
            seen += [line for line in written_out(window, corpus.vocabulary) if line]
        assert sorted(seen) == sorted(word + "\n" for word in words)


def test_windows_are_a_function_of_their_number() -> None:
    ids = build_corpus(Text.of(NAMES), 0.0, LINES).training
    walked = LineWindows(ids, 3, 1)
    windows = [walked[number] for number in range(9)]
    for number in (8, 0, 5):
        fresh = LineWindows(ids, 3, 1)[number]
        np.testing.assert_array_equal(fresh.x, windows[number].x)
        np.testing.assert_array_equal(fresh.y, windows[number].y)
    known = Vocabulary(Text.of(NAMES).characters)
    orders = {tuple(written_out(walked[number], known)) for number in range(40)}
    assert len(orders) > 10  # each epoch draws anew


def test_little_is_padding() -> None:
    text = text_resources()["place-names"].read_text()
    batches = LineWindows(build_corpus(Text.of(text), 0.1, LINES).training, 32, 1)
    windows = [batches[number] for number in range(batches.per_epoch)]
    padded = sum(window.y.size - window.targets for window in windows)
    assert padded < 0.05 * sum(window.y.size for window in windows)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("layers", "dropout"), [(1, None), (3, None), (2, Dropout(0.3, 1))])
def test_a_padded_batch_is_the_sum_of_its_lines(name, reduction, layers, dropout) -> None:
    """Each line separately gives the same loss and gradient."""
    corpus = build_corpus(Text.of(NAMES), 0.0, LINES)
    alphabet = len(corpus.vocabulary)
    params = random_problem(default_rng(0), alphabet_size=alphabet, layers=layers).params
    (window,) = LINES.scoring_windows(corpus.training)
    zero = np.zeros((10, 8 * layers))
    activation = ACTIVATIONS[name]
    loss, gradient, _ = bptt(params, window, zero, activation, reduction, dropout=dropout)
    total, losses = params.zeros_like(), 0.0
    for lane in range(10):
        length = int((window.y[:, lane] != NO_TARGET).sum())
        alone = Window(
            window.x[:length, lane, None], window.y[:length, lane, None], window.fresh[:1],
            first_lane=lane,
        )  # fmt: skip
        found = bptt(params, alone, zero[:1], activation, "sum", dropout=dropout)
        losses += found[0]
        total.flat[...] += found[1].flat
    scale = window.targets if reduction == "mean" else 1
    assert window.targets == len(NAMES.replace("   ", "").replace("\n\n", "\n").strip()) + 1
    assert loss == pytest.approx(losses / scale, rel=1e-13)
    np.testing.assert_allclose(gradient.flat, total.flat / scale, rtol=1e-10, atol=1e-14)


@given(WORDS, st.integers(1, 40))
def test_scoring_does_not_depend_on_the_order_or_the_window(words: list[str], most: int) -> None:
    corpus = build_corpus(Text.of("\n".join([*words, "abc", ""])), 0.0, LINES)
    params = random_problem(default_rng(3), alphabet_size=len(corpus.vocabulary)).params
    tanh = ACTIVATIONS["tanh"]
    whole = evaluate(params, LINES.scoring_windows(corpus.training), tanh)
    other = evaluate(
        params, LINES.scoring_windows(corpus.training, most), tanh, workers=2, max_entries=2
    )
    assert whole.characters == other.characters == len(corpus.training)
    assert whole.nats == pytest.approx(other.nats, rel=1e-12)


def test_held_out_lines_are_a_fixed_sample_of_whole_lines() -> None:
    text = "".join(f"{number:03}\n" for number in range(100))
    one, other = (build_corpus(Text.of(text), 0.2, LINES) for _ in range(2))
    np.testing.assert_array_equal(one.validation, other.validation)
    held_out = one.vocabulary.decode(one.validation).split()
    training = one.vocabulary.decode(one.training).split()
    assert sorted(held_out + training) == text.split()
    assert len(held_out) == 20
    assert held_out != sorted(held_out)
    assert min(held_out) < "030"  # not the end of the list


@pytest.mark.parametrize(
    ("text", "fraction", "words"),
    [(" \n\n \n", 0.1, "blank"), ("only\n", 0.5, "cannot be"), ("a\nb\nc\n", 0.01, "cannot be")],
)
def test_too_few_lines(text: str, fraction: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build_corpus(Text.of(text), fraction, LINES)


@pytest.mark.parametrize(("most", "kept"), [(None, 3), (100, 3), (8, 2), (7, 2), (6, 1), (1, 1)])
def test_the_first_lines_are_whole(most: int | None, kept: int) -> None:
    vocabulary = Vocabulary(Text.of("abcdef\n").characters)
    ids = vocabulary.encode(Text.of("abc\nde\nf\n"))
    assert vocabulary.decode(LINES.head(ids, most)).count("\n") == kept


def test_the_number_of_lines_is_reported(charrnn) -> None:
    settings = [*TINY[2:], "--set", "training.max_steps=1"]
    found = charrnn("train", "-c", "names", *settings, "--out", "run")
    assert "937 lines to train on, 104 held out." in found.err


def test_held_out_lines_are_scored_whole(text_file) -> None:
    from charrnn.config.layers import load_config
    from charrnn.setup.wiring import batches_of, scored_ids

    config = load_config("names", ["evaluation.max_characters=50"], {})
    corpus = build_corpus(Text.of(NAMES * 20), 0.5, LINES)
    assert corpus.vocabulary.decode(scored_ids(config, corpus)).endswith("\n")
    assert 40 < len(scored_ids(config, corpus)) <= 50
    other = load_config("names", ["training.seed=2"], {})
    one, two = (batches_of(c, corpus.training) for c in (config, other))
    assert any(not np.array_equal(one[n].x, two[n].x) for n in range(one.per_epoch))


@given(WORDS, st.integers(1, 7))
def test_lines_of_one_window_are_of_like_length(words: list[str], batch_size: int) -> None:
    """No line is longer than twice another plus 8; windows are full unless that forbids it."""
    words += ["a" * (7 * len(word)) for word in words]
    ids = build_corpus(Text.of("\n".join(words)), 0.0, LINES).training
    batches = LineWindows(ids, batch_size, 1)
    windows = [batches[number] for number in range(batches.per_epoch)]
    lengths = [sorted((window.y != NO_TARGET).sum(axis=0)) for window in windows]
    assert all(lines[-1] <= 2 * lines[0] + 8 for lines in lengths)
    lengths.sort(key=lambda lines: (lines[0], -len(lines)))
    for lines, longer in pairwise(lengths):
        assert len(lines) == batch_size or longer[0] > 2 * lines[0] + 8


def test_the_order_of_lengths_is_drawn() -> None:
    text = Text.of("".join("a" * (1 + n % 30) + "\n" for n in range(300)))
    ids = build_corpus(text, 0.0, LINES).training
    batches = LineWindows(ids, 10, 1)
    lengths = [len(batches[number].x) for number in range(batches.per_epoch)]
    assert lengths != sorted(lengths)


def test_one_enormous_line_does_not_widen_the_others() -> None:
    corpus = build_corpus(Text.of("ab\n" * 50 + "x" * 5000 + "\n"), 0.0, LINES)
    batches = LineWindows(corpus.training, 16, 1)
    windows = [batches[number] for number in range(batches.per_epoch)]
    assert sum(window.y.size for window in windows) == len(corpus.training)
    assert max(window.x.shape for window in windows) == (5001, 1)
    assert "the longest line has 5,001" in " ".join(
        LINES.notes(1, corpus.training, corpus.training)
    )


def test_lines_are_cut_to_the_steps_asked_for() -> None:
    ids = build_corpus(Text.of(NAMES), 0.0, LINES).training
    before, window = LINES.random_window(ids, default_rng(0), 4, 99, 64)
    assert len(before) == 0
    assert window.x.shape == (4, 10)  # no more lines than there are


def test_a_prompt_follows_the_start_of_a_line(line_run) -> None:
    _, params, vocabulary, activation, *_ = load_model(str(line_run))
    options = {"choose": chooser(0), "random": default_rng, "length": 60, "count": 1}
    for beginning in ("", "Bar", "Jo"):
        (line,) = GeneratedTexts(
            params, activation, vocabulary, beginning, delimiter="\n", **options
        )
        (text,) = GeneratedTexts(
            params, activation, vocabulary, "\n" + beginning, delimiter=None, **options
        )
        assert "".join(line) == "".join(text).split("\n")[0]


def test_sample_generates_whole_lines_and_stops(charrnn, line_run) -> None:
    outcome = charrnn("sample", line_run, "--count", 12)
    assert outcome.code == 0
    lines = outcome.out.split("\n")
    assert lines[-1] == ""
    assert len(lines) == 13
    document = json.loads(charrnn("sample", line_run, "--count", 12, "--json").out)
    assert document["texts"] == lines[:-1]
    begun = charrnn("sample", line_run, "--prime", "Bar", "--temperature", 0)
    assert begun.out.startswith("Bar")
    assert begun.out.count("\n") == 1
    cut = charrnn("sample", line_run, "--length", 2, "--count", 3)
    assert all(len(line) <= 2 for line in cut.out.split("\n"))
    for prime in ("Bar\n", "Bar"):
        assert charrnn("sample", line_run, "--prime", prime, "--temperature", 0).out == begun.out
    refused = charrnn("sample", line_run, "--prime", "Bar\nCy")
    assert refused.code == 2
    assert "more than one line" in refused.err


def test_samples_of_a_run_are_lines(line_run) -> None:
    lines = [json.loads(line) for line in (line_run / "metrics.jsonl").read_text().splitlines()]
    samples = [line["text"] for line in lines if line["event"] == "sample"]
    assert samples
    assert all("\n" in text and 150 < len(text) <= 200 for text in samples)


def test_eval_of_lines_gives_the_score_of_training(charrnn, line_run, tmp_path) -> None:
    from charrnn.training.checkpoint import load

    corpus = build_corpus(Text.of(NAMES * 4), 0.2, LINES)
    held_out = corpus.vocabulary.decode(corpus.validation)
    (tmp_path / "held-out.txt").write_text(held_out + "\n\n")
    document = json.loads(charrnn("eval", line_run, tmp_path / "held-out.txt", "--json").out)
    progress = load(line_run / "checkpoints/best.safetensors").state.progress
    assert document["nats_per_character"] == pytest.approx(progress.best_validation_nats, rel=1e-6)
    assert document["characters"] == len(held_out)
    assert document["bits_per_byte"] == pytest.approx(document["bits_per_character"])


def test_gradcheck_of_lines(charrnn, line_run, tmp_path) -> None:
    outcome = charrnn("gradcheck", line_run)
    assert outcome.code == 0, outcome.out
    assert "passed: BPTT" in outcome.out


def test_workers_and_resume_with_lines(charrnn, tmp_path) -> None:
    (tmp_path / "names.txt").write_text(NAMES * 4)
    arguments = ["train", "names.txt", *SETTINGS, "--set", "schedule.name=constant"]
    check_resume_and_workers(charrnn, arguments, 11, 30, [])


def test_the_end_of_a_file_ends_its_last_line(charrnn, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("Paris\nRome")
    (tmp_path / "b.txt").write_text("Oslo\nBern\n")
    settings = [*TINY, "--set", "data.sequences=lines", "--set", "data.validation_fraction=0"]
    found = charrnn("train", "a.txt", "b.txt", *settings, "--max-steps", 2, "--out", "run")
    assert "4 lines to train on" in found.err


def test_the_training_loss_is_a_mean_over_characters(tmp_path) -> None:
    """Not over steps, which have lines of unequal length."""
    (tmp_path / "names.txt").write_text(NAMES * 4)
    settings = [*SETTINGS[3::2], "training.max_steps=30", "training.batch_size=1"]
    config = load_config(None, settings, {"data": {"text": str(tmp_path / "names.txt")}})
    events = []
    train(new_run(config, str(tmp_path / "run")), [events.append])
    (first, *_) = (event for event in events if isinstance(event, Evaluated))
    steps = [event for event in events if isinstance(event, Stepped)][: first.step]
    nats = [event.nats_per_character for event in steps]
    weights = np.diff([event.characters for event in steps], prepend=0)
    assert len(set(weights)) > 1
    mean = np.average(nats, weights=weights)
    assert first.train_nats_per_character == pytest.approx(mean, rel=1e-12)
