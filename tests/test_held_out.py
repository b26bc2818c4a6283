"""What is held out of several files, and texts to validate and test on."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config.layers import check_config, load_config
from charrnn.text.stream import MIN_HELD_OUT, Stream
from charrnn.text.text import Text
from tests.conftest import RHYME, TINY
from tests.runs import check_resume_and_workers
from tests.test_outcome import lines_of

FRACTION = 0.1


@given(st.lists(st.text("abc", min_size=1, max_size=700), min_size=1, max_size=5))
def test_of_each_file_the_end_is_held_out(files: list[str]) -> None:
    """What is trained on and what is held out are a rearrangement of the files, ends after."""
    joined = "".join(files)
    text, training = Stream().split(Text.of(joined), FRACTION, [len(file) for file in files])
    split, held = str(text), [round(len(file) * FRACTION) for file in files]
    held = [count if count >= MIN_HELD_OUT else 0 for count in held]
    if len(files) == 1 or 2 * sum(held) < round(len(joined) * FRACTION):
        assert (split, training) == (joined, len(joined) - round(len(joined) * FRACTION))
        return
    beginnings = [file[: len(file) - count] for file, count in zip(files, held, strict=True)]
    ends = [file[len(file) - count :] for file, count in zip(files, held, strict=True)]
    assert split == "".join(beginnings) + "".join(ends)
    assert training == sum(map(len, beginnings))


@pytest.fixture
def two(tmp_path):
    """A chat and a poem in another script."""
    (tmp_path / "chat.txt").write_text("[12:30] ODA: the lamp is lit\n" * 40)
    (tmp_path / "poem.txt").write_text("床前明月光，疑是地上霜。举头望明月，低头思故乡。\n" * 30)
    return ["chat.txt", "poem.txt"]


def test_no_character_of_the_last_file_is_unseen(charrnn, two) -> None:
    assert "never seen in training" not in charrnn("inspect", *two, *TINY).err
    outcome = charrnn("inspect", *two, *TINY, "--set", "data.hold_out=end")
    assert "never seen" not in outcome.err  # the poem repeats itself
    assert "characters never seen in training" in charrnn(
        "inspect", *two, *TINY, "--set", "data.hold_out=end",
        "--set", "data.validation_fraction=0.5",
    ).err  # fmt: skip


def test_the_config_of_an_older_run_keeps_its_split() -> None:
    """It lacks the settings; the end of the last file was held out, and nothing else read."""
    values = load_config(None, [], {}).model_dump()
    for key in ("hold_out", "validation", "test", "include", "exclude"):
        del values["data"][key]
    del values["training"]["epochs"]
    config = check_config(values)
    assert (config.data.hold_out, config.training.epochs) == ("end", None)
    assert load_config(None, [], {}).data.hold_out == "each"
    text = Text.of("abc" * 100)
    assert Stream().split(text, FRACTION)[1] == 270


def test_resume_with_files_and_texts_of_all_kinds(charrnn, two, tmp_path) -> None:
    (tmp_path / "valid.txt").write_text("[12:30] ODA: the lamp\n疑是地上霜。\n" * 3)
    arguments = ["train", *two, *TINY, "--validation", "valid.txt", "--test", "chat.txt"]
    arguments += ["--set", "schedule={name: constant}"]
    check_resume_and_workers(charrnn, arguments, cut=7, steps=12, single=[])


def test_validation_and_test_scores_are_those_of_eval(charrnn, tmp_path) -> None:
    for name, text in (("a.txt", RHYME * 9), ("v.txt", RHYME[50:]), ("t.txt", RHYME[90:170])):
        (tmp_path / name).write_text(text)
    outcome = charrnn(
        "train", "a.txt", *TINY, "--max-steps", 30, "--out", "run", "--json",
        "--validation", "v.txt", "--test", "t.txt",
    )  # fmt: skip
    ended = json.loads(outcome.out)
    for name, kind in (("v.txt", "validation"), ("t.txt", "test")):
        score = json.loads(charrnn("eval", "run", name, "--json").out)
        assert ended[f"{kind}_nats_per_character"] == pytest.approx(
            score["nats_per_character"], rel=1e-6
        )
    assert "on the test text: " in outcome.err
    (logged,) = [line for line in lines_of("run") if line["event"] == "test"]
    assert logged["test_nats_per_character"] == ended["test_nats_per_character"]
    assert f"{len(RHYME * 9):,} characters to train on" in outcome.err


def test_the_test_text_changes_nothing_but_its_score(charrnn, tmp_path) -> None:
    from safetensors.numpy import load_file

    for name in ("a.txt", "t.txt"):
        (tmp_path / name).write_text(RHYME * 5)
    plain, tested = (
        [charrnn("train", "a.txt", *TINY, "--max-steps", 9, "--out", out, *more), out][1]
        for out, more in (("plain", []), ("tested", ["--test", "t.txt"]))
    )
    for name in ("best", "last"):
        a, b = (load_file(f"{run}/checkpoints/{name}.safetensors") for run in (plain, tested))
        assert all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--test", "none.txt"], 3, "there is no file"),
        (["--test", "-"], 2, "--test - is standard input"),
        (["--validation", "other.txt"], 3, "'é' (U+00E9) at position 1 of the validation text"),
        (["--test", "one.txt"], 3, "the test text has a single character"),
        (["--validation", "RUN"], 2, "run"),
    ],
)
def test_texts_that_are_refused(charrnn, trained, tmp_path, arguments, code, words) -> None:
    (tmp_path / "a.txt").write_text(RHYME * 5)
    (tmp_path / "other.txt").write_text("école")
    (tmp_path / "one.txt").write_text("a")
    arguments = [trained if part == "RUN" else part for part in arguments]
    outcome = charrnn("train", "a.txt", *TINY, "--max-steps", 2, *arguments)
    assert (outcome.code, words in outcome.err) == (code, True), outcome.err
    assert not (tmp_path / "runs").exists()
