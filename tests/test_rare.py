"""Characters that are rare, unknown, or only in the held-out part."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn.errors import InputError
from charrnn.text.corpus import Corpus, build_corpus
from charrnn.text.sequences import SEQUENCES
from charrnn.text.text import REPLACEMENT, Text
from charrnn.text.vocabulary import Vocabulary
from tests.conftest import RHYME, TINY

FEW = st.text("abcd\n\ufffd", min_size=1, max_size=60)
KINDS = st.sampled_from(["stream", "lines"])


def corpus_of(string: str, sequences: str, min_count: int) -> Corpus | None:
    try:
        text = SEQUENCES[sequences].join([Text.of(string)])
        return build_corpus(text, 0.0, SEQUENCES[sequences], min_count)
    except InputError:
        return None


@given(FEW, KINDS, st.integers(1, 9))
def test_only_rare_characters_are_replaced(string: str, sequences: str, min_count: int) -> None:
    plain, folded = (corpus_of(string, sequences, count) for count in (1, min_count))
    if plain is None or folded is None:
        assert plain is folded
    assume(plain is not None)
    assert folded.digest == plain.digest
    before, after = (c.vocabulary.decode(c.training) for c in (plain, folded))
    needed = "\n\ufffd" if sequences == "lines" else "\ufffd"
    rare = {c for c in string if string.count(c) < min_count and c not in needed}
    assert after == "".join(REPLACEMENT if c in rare else c for c in before)
    if not rare:
        assert np.array_equal(plain.training, folded.training)
        assert plain.vocabulary == folded.vocabulary
    assert list(folded.vocabulary.characters) == sorted(set(after))
    kinds = f"of {len(rare)} kind"
    assert any(kinds in note for note in folded.notes) == bool(rare)


@given(FEW, FEW)
def test_unknown_characters_are_handled_as_requested(string: str, known: str) -> None:
    vocabulary = Vocabulary(Text.of(known + REPLACEMENT).characters)
    text = Text.of(string)
    strange = [c for c in string if c not in vocabulary.characters]
    assert vocabulary.handle_unknown([text], "error") == ([text], ())
    skipped, notes = vocabulary.handle_unknown([text], "skip")
    assert str(Text.concatenate(skipped)) == "".join(c for c in string if c not in strange)
    assert len(notes) == bool(strange)
    (replaced,), notes = vocabulary.handle_unknown([text], "replace")
    assert str(replaced) == "".join(REPLACEMENT if c in strange else c for c in string)
    assert len(vocabulary.encode(replaced)) == len(string)
    assert all(f"{len(strange)} unknown character" in note for note in notes)


@given(st.text("abc", min_size=1, max_size=30), st.text("abcdé", min_size=3, max_size=9))
def test_characters_not_seen_in_training_are_reported(training: str, held_out: str) -> None:
    string = training + held_out
    corpus = build_corpus(Text.of(string), len(held_out) / len(string))
    unseen = sorted(set(held_out) - set(training))
    told = [note for note in corpus.notes if "never seen in training" in note]
    assert len(told) == bool(unseen)
    assert all(f"U+{ord(c):04X}" in told[0] for c in unseen)


def test_unseen_characters_of_a_list_are_counted() -> None:
    notes = build_corpus(Text.of("a" * 8 + "bcdefghi"), 0.5).notes
    assert notes[0].startswith("8 characters never seen in training")
    assert notes[0].endswith("'f' (U+0066), …")


@pytest.fixture(scope="module")
def folded_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from charrnn.cli import main

    folder = tmp_path_factory.mktemp("rare")
    (folder / "t.txt").write_text(RHYME * 12 + "é¶ô", encoding="utf-8")
    arguments = ["train", str(folder / "t.txt"), *TINY, "--set", "data.min_count=5"]
    assert main.run([*arguments, "--max-steps", "20", "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_a_model_that_replaces_rare_characters_reads_any_text(
    charrnn, folded_run, tmp_path
) -> None:
    for name, text in (("strange", "The wöter and thß"), ("marked", "The w\ufffdter and th\ufffd")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    strange, marked = (charrnn("eval", folded_run, tmp_path / n) for n in ("strange", "marked"))
    scores = [
        json.loads(charrnn("eval", folded_run, n, "--json").out) for n in ("strange", "marked")
    ]
    assert strange.code == marked.code == 0, strange.err
    assert scores[0] == scores[1]
    assert "2 unknown characters read as U+FFFD" in strange.err
    assert "unknown" not in marked.err
    assert charrnn("gradcheck", folded_run, "--text", "strange", "--fast").code == 0
    assert "2 unknown characters" in charrnn("gradflow", folded_run, "--text", "strange").err
    sample = charrnn("sample", folded_run, "--prime", "wöt", "--length", 0)
    assert sample.out == "w\ufffdt"
    assert "1 unknown character read" in sample.err
    assert charrnn("eval", folded_run, "strange", "--unknown", "error").code == 3
    assert "left out" in charrnn("eval", folded_run, "strange", "--unknown", "skip").err


def test_a_run_with_replaced_characters_is_resumed(charrnn, folded_run) -> None:
    outcome = charrnn("train", "--resume", folded_run, "--max-steps", 24)
    assert outcome.code == 0, outcome.err
    assert "3 characters of 3 kinds rarer than data.min_count = 5" in outcome.err


def test_replacing_needs_a_model_that_knows_the_replacement(charrnn, trained, tmp_path) -> None:
    (tmp_path / "t").write_text("The wäter")
    for arguments in (["eval", trained, "t"], ["sample", trained, "--prime", "ä"]):
        outcome = charrnn(*arguments, "--unknown", "replace")
        assert outcome.code == 2
        assert "does not know U+FFFD" in outcome.err


def test_without_rare_characters_unknown_ones_stay_errors(charrnn, tmp_path, text_file) -> None:
    out = tmp_path / "run"
    arguments = [*TINY, "--set", "data.min_count=2", "--max-steps", 1, "--out", out]
    outcome = charrnn("train", text_file, *arguments)
    assert "no character is rarer than data.min_count = 2" in outcome.err
    (tmp_path / "t").write_text("The wäter")
    assert charrnn("eval", out, tmp_path / "t").code == 3
