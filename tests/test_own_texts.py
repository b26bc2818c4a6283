"""A checkpoint names its texts, and anyone may have written it: what is read of them, and when."""

import json
import os
import shutil
from pathlib import Path

import pytest

from charrnn.errors import InputError
from charrnn.runs.resume import resumed_run
from charrnn.training.checkpoint import load
from tests.conftest import RHYME, TINY
from tests.hostile import opened, sealed
from tests.runs import train

COMMANDS = [
    ["gradcheck", "run", "--fast", "--oracle", "complex-step"],
    ["gradflow", "run", "--lags", "4"],
    ["train", "--resume", "run", "--max-steps", "90"],
]


def forge(trained: Path, **data: object) -> None:
    """A run in `run` whose checkpoints have other `data` settings, with a matching digest."""
    shutil.copytree(trained, "run")
    for path in Path("run/checkpoints").iterdir():
        tensors, metadata = opened(path)
        config = json.loads(metadata["config"])
        config["data"] |= data
        path.write_bytes(sealed(tensors, metadata | {"config": json.dumps(config)}))


def endless(folder: Path) -> list[str]:
    """Files and folders that are read for a long time, or for ever, unless reading is bounded."""
    sparse = folder / "sparse"
    sparse.touch()
    os.truncate(sparse, 1 << 43)
    return [str(sparse), "/proc/self/pagemap", "/usr/lib"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_more_is_read_than_the_text_had(charrnn, tmp_path, trained, command, number) -> None:
    path = endless(tmp_path)[number]
    forge(trained, text=[path], errors="replace", encoding="latin-1")
    outcome = charrnn(*command)
    assert outcome.code == 3, outcome
    if path != str(tmp_path / "sparse"):  # which is in this folder
        assert outcome.err.startswith(f"note: reading {path}, which run"), outcome


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["validation", "test"])
@pytest.mark.parametrize("path", ["endless", "fifo"])
def test_a_forged_held_out_text_is_not_read(charrnn, tmp_path, trained, name, path) -> None:
    os.mkfifo(tmp_path / "fifo")
    named = endless(tmp_path)[0] if path == "endless" else str(tmp_path / "fifo")
    forge(trained, **{name: [named]})
    outcome = charrnn(*COMMANDS[2])
    assert outcome.code == 3
    expected = "does not say what" if path == "endless" else "neither a file nor a directory"
    assert expected in outcome.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_another_text_of_the_same_size_is_refused(charrnn, trained, command) -> None:
    other = Path("other.txt").absolute()
    other.write_text(RHYME.replace("lamp", "palm") * 12)
    forge(trained, text=[str(other)])
    assert charrnn(*command).code == 3


def test_a_text_of_this_folder_is_read_without_a_word(charrnn, tmp_path, text_file) -> None:
    shutil.copy(text_file, "text.txt")
    assert charrnn("train", "text.txt", *TINY, "--max-steps", 3, "--out", "run").code == 0
    assert "reading" not in charrnn("gradflow", "run", "--lags", 4).err
    os.makedirs("elsewhere")
    os.chdir("elsewhere")
    said = charrnn("gradflow", "../run", "--lags", 4).err
    assert f"note: reading {tmp_path / 'text.txt'}, which ../run/checkpoints/best" in said


@pytest.fixture
def held_out(charrnn, text_file) -> Path:
    """A run with a validation and a test text."""
    for name in ("validation", "test"):
        Path(f"{name}.txt").write_text(RHYME)
    given = ["--validation", "validation.txt", "--test", "test.txt"]
    assert charrnn("train", text_file, *TINY, *given, "--max-steps", 6, "--out", "held").code == 0
    return Path("held")


def test_a_checkpoint_knows_its_held_out_texts(held_out) -> None:
    marks = load(held_out / "checkpoints/last.safetensors").held_out
    assert marks["validation"] == marks["test"]
    assert marks["test"].size == len(RHYME)
    assert train(resumed_run(str(held_out), [], {"max_steps": 9}), []).steps == 9


@pytest.mark.parametrize("name", ["validation", "test"])
@pytest.mark.parametrize("change", [str.upper, lambda text: text + "x", lambda text: text[:-1]])
def test_a_held_out_text_that_changed_is_refused(held_out, name, change) -> None:
    Path(f"{name}.txt").write_text(change(RHYME))
    with pytest.raises(InputError, match=rf"{name}\.txt is not the"):
        resumed_run(str(held_out), [], {"max_steps": 9})
