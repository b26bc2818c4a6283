"""Properties of texts, from file to windows."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn.errors import InputError, UsageError
from charrnn.system.resources import CORPUS_NAME, config_paths, text_resources
from charrnn.text.corpus import build_corpus
from charrnn.text.count_baselines import chunks_with_contexts
from charrnn.text.ngram import NGram
from charrnn.text.reading import read_text
from charrnn.text.sequences import SEQUENCES
from charrnn.text.stream import StreamWindows
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXT)
def test_decode_undoes_encode(text: str) -> None:
    vocabulary = Vocabulary(Text.of(text).characters)
    assert vocabulary.decode(vocabulary.encode(Text.of(text))) == text
    assert list(vocabulary.characters) == sorted(set(text))


@given(TEXT, st.floats(0, 0.9))
def test_the_split_loses_nothing(text: str, fraction: float) -> None:
    try:
        corpus = build_corpus(Text.of(text), fraction)
    except InputError:
        assume(False)
    ids = np.concatenate([corpus.training, corpus.validation])
    assert corpus.vocabulary.decode(ids) == text
    assert len(corpus.validation) == round(len(text) * fraction)


@given(st.integers(2, 400), st.integers(1, 9), st.integers(1, 40))
def test_windows_tile_the_text(length: int, batch_size: int, window: int) -> None:
    ids = np.arange(length)
    try:
        batches = StreamWindows(ids, batch_size, window)
    except InputError:
        assert length - 1 < batch_size * window
        assume(False)
    windows = [batches[number] for number in range(batches.per_epoch)]
    lanes = np.concatenate([w.x for w in windows]).T
    assert np.array_equal(lanes.reshape(-1), np.arange(lanes.size))  # contiguous, in order, once
    assert lanes.size > length - 1 - batch_size
    assert all(np.array_equal(w.y, w.x + 1) for w in windows)
    assert [bool(w.fresh.all()) for w in windows] == [True] + [False] * (len(windows) - 1)
    again = batches[batches.per_epoch]
    assert np.array_equal(again.x, windows[0].x)
    assert again.fresh.all()


@given(st.integers(2, 200), st.integers(1, 60), st.integers(1, 60))
def test_the_suggested_batch_size_and_window_fit(length: int, batch_size: int, window: int) -> None:
    ids = np.arange(length)
    try:
        StreamWindows(ids, batch_size, window)
    except InputError as error:
        words = re.findall(r"\w+", error.hint)
        pair = [int(word) for word in words if word.isdigit()]
        StreamWindows(ids, *pair)


def test_a_text_of_one_character_gets_no_suggestion() -> None:
    with pytest.raises(InputError) as caught:
        StreamWindows(np.arange(1), 1, 1)
    assert "two characters" in caught.value.hint


def test_unknown_character_is_named_with_the_nearest() -> None:
    vocabulary = Vocabulary(Text.of("abcdefgh e").characters)
    with pytest.raises(UsageError) as caught:
        vocabulary.encode(Text.of("abé"), "the prompt")
    assert "character 'é' (U+00E9) at position 3 of the prompt" in str(caught.value)
    assert caught.value.hint == "nearest is 'e'; or choose `unknown=skip`."


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_files_are_joined_in_order(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, name.encode()) for name in ("b", "a")]
    assert str(read_text(paths).text) == "ba"


def test_newlines_and_byte_order_mark_are_handled_and_reported(tmp_path: Path) -> None:
    reading = read_text([write(tmp_path / "t", b"\xef\xbb\xbfone\r\ntwo\rthree\n")])
    assert str(reading.text) == "one\ntwo\nthree\n"
    assert "byte order mark" in reading.notes[0]
    assert "2 line ends" in reading.notes[1]


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("né".encode())))
    assert str(read_text(["-"]).text) == "né"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty except for"),
        (b"abc\x00def", "binary: NUL at byte 3"),
        (b"caf\xe9 au lait", "not UTF-8: byte 0xe9 at offset 3"),
        ("hä".encode("utf-16"), "UTF-16"),
    ],
)
def test_unusable_files(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_text([write(tmp_path / "t", content)])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_text([str(tmp_path / "none")])


def test_ngram_equals_a_literal_count() -> None:
    """Witten-Bell with dictionaries, character by character."""
    random = np.random.default_rng(0)
    training, validation = random.integers(0, 4, 300), random.integers(0, 5, 60)
    alphabet_size, order = 5, 3
    counts: dict[tuple[int, ...], dict[int, int]] = {}
    for length in range(order + 1):
        for place in range(max(length, 1), len(training)):
            after = counts.setdefault(tuple(training[place - length : place]), {})
            after[training[place]] = after.get(training[place], 0) + 1
    model = NGram(training, np.arange(len(training)), alphabet_size, order)
    found = model.probabilities(validation, np.arange(len(validation)))
    for place, character in enumerate(validation):
        probability = 1 / alphabet_size
        for length in range(min(order, place) + 1):
            after = counts.get(tuple(validation[place - length : place]))
            if after:
                n, d = sum(after.values()), len(after)
                probability = (after.get(character, 0) + d * probability) / (n + d)
            assert found[length, place] == pytest.approx(probability, rel=1e-12)


def test_ngram_probabilities_sum_to_1_over_the_alphabet() -> None:
    random = np.random.default_rng(1)
    training, scored = random.integers(0, 5, 500), random.integers(0, 6, 80)
    model, place = NGram(training, np.arange(500), 6, 3), np.arange(80)
    for last in (0, 1, 2, 30, 79):
        after = [np.append(scored[:last], one) for one in range(6)]
        p = [model.probabilities(text, place[: last + 1])[:, -1] for text in after]
        assert np.sum(p, axis=0) == pytest.approx(np.ones(4), rel=1e-12)
        assert np.min(p) > 0


@pytest.mark.parametrize("kind", ["stream", "lines"])
@pytest.mark.parametrize("size", [1, 5, 64])
def test_chunks_have_the_contexts_of_the_whole_text(kind: str, size: int) -> None:
    ids = np.append(np.random.default_rng(2).integers(0, 6, 200), 3)
    sequences, whole = SEQUENCES[kind], NGram(ids, SEQUENCES[kind].context_lengths(ids), 6, 3)
    chunks = [*chunks_with_contexts(ids, sequences, 3, size)]
    found = [whole.probabilities(part, lengths)[:, own] for part, lengths, own in chunks]
    expected = whole.probabilities(ids, sequences.context_lengths(ids))
    np.testing.assert_array_equal(np.concatenate(found, axis=1), expected)
    np.testing.assert_array_equal(np.concatenate([part[own] for part, _, own in chunks]), ids)


def test_embedded_corpus_is_what_its_note_says() -> None:
    text = text_resources()[CORPUS_NAME].read_text(encoding="ascii")
    assert len(text) >= 100_000
    assert all(f"SCENE {number}. " in text for number in range(1, 57))
    assert set(config_paths()) >= {"default"}
