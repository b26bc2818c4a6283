"""What generated texts repeat of the training text, compared with a brute-force search."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.cli import main
from charrnn.commands.novelty import novelty
from charrnn.commands.sample import ATTEMPTS_PER_TEXT, MIN_ATTEMPTS, Sampler
from charrnn.setup.known_text import known_text
from charrnn.setup.loading import load_model
from charrnn.text import novelty as algorithm
from charrnn.text.novelty import in_common
from tests.conftest import RHYME, TINY

LENGTHS = (1, 2, 3, 5, 8)
NAMES = ["Anna", "Bernd", "Carla", "Dora", "Emil", "Frida", "Gert", "Hanna", "Ida", "Jan"]


def ids(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8)


def by_search(texts: list[bytes], longer: bytes) -> tuple[list[float | None], int]:
    """The shares and the length of the longest copy, by searching each passage."""
    shares: list[float | None] = []
    for length in LENGTHS:
        passages = [t[i : i + length] for t in texts for i in range(len(t) - length + 1)]
        found = [passage in longer for passage in passages]
        shares.append(sum(found) / len(found) if found else None)
    longest = 0
    for text in texts:
        for start in range(len(text)):
            while longest < len(text) - start and text[start : start + longest + 1] in longer:
                longest += 1
    return shares, longest


letters = st.integers(1, 4).flatmap(
    lambda kinds: st.tuples(
        st.lists(st.binary(max_size=14).map(lambda b: bytes(x % kinds for x in b)), max_size=4),
        st.binary(max_size=60).map(lambda b: bytes(x % kinds for x in b)),
    )
)


@pytest.mark.parametrize("chunk", [5, 1 << 17])
@pytest.mark.parametrize("dense", [0, 1 << 22])
def test_shares_and_longest_copy_are_those_of_a_search(monkeypatch, chunk, dense) -> None:
    """With chunks shorter than a copy, and with each kind of table, that lets others pass."""
    monkeypatch.setattr(algorithm, "FILTER_ENTRIES", 1)
    monkeypatch.setattr(algorithm, "MIN_FILTER", 1)
    monkeypatch.setattr(algorithm, "CHUNK_CHARACTERS", chunk)
    monkeypatch.setattr(algorithm, "MAX_DENSE", dense)

    @given(letters)
    def check(drawn) -> None:
        texts, longer = drawn
        shares, longest = by_search(texts, longer)
        common = in_common([ids(text) for text in texts], ids(longer), LENGTHS)
        assert common.shares == pytest.approx(shares)
        assert common.length == longest
        copy = longer[common.offset : common.offset + longest]
        assert len(copy) == longest
        assert any(copy in text for text in texts) or not longest
        assert longer.find(copy) == common.offset

    check()


@given(st.binary(min_size=1, max_size=50), st.binary(max_size=50), st.binary(max_size=50))
def test_a_copy_is_entirely_shared(text, before, after) -> None:
    common = in_common([ids(text)], ids(before + text + after), [1, (len(text) + 1) // 2])
    assert common.shares == (1, 1)
    assert common.length == len(text)


@pytest.mark.parametrize("before", range(7))
def test_a_copy_may_begin_anywhere_in_a_chunk(monkeypatch, before) -> None:
    monkeypatch.setattr(algorithm, "CHUNK_CHARACTERS", 1)
    assert in_common([ids(b"abc")], ids(b"a" * before + b"abc"), [3]) == ((1.0,), 3, before)


def test_a_passage_does_not_cross_the_end_of_a_text() -> None:
    common = in_common([ids(b"ab"), ids(b"cd")], ids(b"abcd"), [2, 3])
    assert common == ((1.0, None), 2, 0)


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> Path:
    """A run on names that has learned some of them."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "names.txt").write_text("\n".join(NAMES * 9) + "\n")
    arguments = ["train", str(folder / "names.txt"), "-c", "names", "--max-steps", "60"]
    settings = ["--set", "model.hidden_size=16", "--set", "training.workers=1"]
    assert main.run([*arguments, *settings, "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_the_training_text_is_known_without_its_held_out_part(trained) -> None:
    known = known_text(load_model(str(trained)), [], lambda note: None)
    assert str(known.training) + str(known.held_out) == RHYME * 12 == str(known.text)


def test_a_passage_is_found_with_its_place(trained) -> None:
    passage = "it took back the sand.\nFour steps and a bell"
    found = novelty(str(trained), [f"ZZZ{passage}ZZZ"], lengths=(5, 99))
    (overlap,), length = found.samples, len(passage)
    assert overlap.longest is not None
    assert overlap.longest.text == passage
    assert (overlap.longest.offset, overlap.longest.line) == (RHYME.index(passage), 2)
    assert overlap.shares == (pytest.approx((length - 4) / (length + 2)), None)
    assert found.held_out is not None
    assert found.held_out.characters == length + 6
    assert overlap.items is found.item is None


def test_a_line_is_found_in_the_order_of_the_file(named) -> None:
    found = novelty(str(named), ["Hanna", "Anna", "Ann", "Anna"])
    (overlap,) = found.samples
    assert overlap.longest is not None
    assert (overlap.longest.text, overlap.longest.line) == ("Hanna", 8)
    assert overlap.items is not None
    assert overlap.items.copies == ("Hanna", "Anna", "Anna")
    assert (overlap.items.count, overlap.items.repeated) == (4, 1)
    assert found.held_out is not None
    assert found.held_out.items is not None
    assert found.held_out.characters == overlap.characters == 16
    assert 2 <= len(found.held_out.items.copies) == found.held_out.items.count <= 6


def test_another_text_may_have_other_characters(trained) -> None:
    Path("other.txt").write_text("Übermut and the light")
    found = novelty(str(trained), ["Übermut", "ßße"], text=["other.txt"], lengths=(1,))
    assert not found.own
    assert found.held_out is None
    (overlap,) = found.samples
    assert overlap.longest is not None
    assert overlap.longest.text == "bermut"
    assert overlap.shares == (0.7,)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_novel_only_filters_the_samples(named, temperature) -> None:
    options = {"length": 20, "temperature": temperature, "seed": 3}
    every = Sampler(str(named), **options).samples(40).texts
    expected = [name for name in every if name and name not in NAMES]
    assert len({*expected}) < len({*every})  # there is something to leave out
    novel = Sampler(str(named), **options, novel_only=True)
    found = novel.samples(len(expected))
    assert list(found.texts) == expected
    assert found.attempts[0] <= 40
    novel.require_found(len(expected))


def test_novel_only_of_a_stream_leaves_out_passages(trained) -> None:
    options = {"length": 3, "seed": 2}
    every = Sampler(str(trained), **options).samples(30).texts
    training = (RHYME * 12)[: round(0.9 * len(RHYME * 12))]
    expected = [text for text in every if text not in training]
    assert 0 < len(expected) < 30
    novel = Sampler(str(trained), **options, novel_only=True)
    assert ["".join(text) for text in novel.texts(len(expected))] == expected


def test_the_search_for_novel_texts_ends(charrnn, named) -> None:
    arguments = ["sample", named, "--novel-only", "--prime", "Hann", "--length", 1, "-t", 0]
    known = charrnn(*arguments[:2], *arguments[3:]).out
    if known.strip() not in NAMES:
        pytest.skip("the model has not learned the name")
    outcome = charrnn(*arguments, "--count", 2)
    assert outcome.code == 1
    assert "none of 1,000 lines generated at temperature 0 are" in outcome.err
    document = charrnn(*arguments, "--count", 11, "--json").out
    assert json.loads(document)["attempts"] == [max(11 * ATTEMPTS_PER_TEXT, MIN_ATTEMPTS)]


def test_the_table_and_the_document_agree(charrnn, trained) -> None:
    arguments = ["sample", trained, "--length", 60, "-t", 0.5, "-t", 1.5, "--novelty"]
    document = json.loads(charrnn(*arguments, "--json").out)
    table = charrnn(*arguments).out
    assert document["novelty"]["own"]
    for overlap, name in zip(
        [*document["novelty"]["samples"], document["novelty"]["held_out"]],
        ["temperature 0.5", "temperature 1.5", "held-out text"],
        strict=True,
    ):
        assert overlap["characters"] == 60
        longest = overlap["longest"]
        assert f"{name}: longest copy {longest['length']} character" in table
        assert longest["text"] in RHYME * 12
        for share in overlap["shares"]:
            assert share is None or f"{100 * share:.1f}" in table


def test_a_text_that_only_a_checkpoint_names_is_announced(charrnn, trained, text_file) -> None:
    outcome = charrnn("sample", trained, "--length", 9, "--novelty")
    assert f"note: reading {text_file}, which {trained}" in outcome.err
    assert not charrnn("sample", trained, "--length", 9).err


def test_another_training_text_is_refused(charrnn, tmp_path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(RHYME * 12)
    assert charrnn("train", text, *TINY, "--max-steps", 2, "--out", "run").code == 0
    text.write_text(RHYME.replace("lamp", "palm") * 12)
    outcome = charrnn("sample", "run", "--novelty")
    assert (outcome.code, outcome.out) == (3, "")
    assert "is not the text that run" in outcome.err
    shutil.copy(text, "copy.txt")
    assert charrnn("sample", "run", "--novelty", "--text", "copy.txt").code == 0


def test_a_validation_text_is_the_held_out_one(charrnn, text_file) -> None:
    Path("validation.txt").write_text("The light is lost")
    given = ["--validation", "validation.txt", "--max-steps", 2, "--out", "run"]
    assert charrnn("train", text_file, *TINY, *given).code == 0
    known = known_text(load_model("run"), [], lambda note: None)
    assert str(known.held_out) == "The light is lost"
    assert str(known.training) == RHYME * 12


def test_a_passage_where_two_files_meet_has_a_place(charrnn) -> None:
    for name in ("a", "b"):
        Path(name).write_text(RHYME * 3)
    arguments = [*TINY, "--max-steps", 2, "--set", "data.hold_out=each", "--out", "run"]
    assert charrnn("train", "a", "b", *arguments).code == 0
    known = known_text(load_model("run"), [], lambda note: None)
    cut = len(RHYME * 3) - round(0.1 * len(RHYME * 3))
    passage = str(known.training[cut - 9 : cut + 9])
    assert passage not in RHYME * 6
    ((overlap,),) = (novelty("run", [passage]).samples,)
    assert overlap.longest is not None
    assert overlap.longest.offset == cut - 9


def test_a_text_to_compare_with_needs_a_comparison(charrnn, trained, text_file) -> None:
    outcome = charrnn("sample", trained, "--text", text_file)
    assert (outcome.code, "add --novelty" in outcome.err) == (2, True)
