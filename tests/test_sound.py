"""A run whose best checkpoint is damaged or missing says which one to use."""

import shlex
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


COMMANDS = [
    ["sample"],
    ["eval", "TEXT"],
    ["gradcheck", "--fast"],
    ["gradflow"],
    ["explain", "terms"],
]


def arguments(command: list[str], model: object, text: Path) -> list[object]:
    name, *rest = command
    if name == "explain":
        return [name, *rest, model, "--text", "The keeper"]
    return [name, model, *(text if part == "TEXT" else part for part in rest)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_damaged_best_checkpoint_names_the_newest_sound_one(
    charrnn, run, text_file, command
) -> None:
    best, last = (run / f"checkpoints/{name}.safetensors" for name in ("best", "last"))
    best.write_bytes(best.read_bytes()[:-9])
    outcome = charrnn(*arguments(command, run, text_file))
    assert outcome.code == 3
    assert "hint:  last.safetensors is sound: " in outcome.err
    if command[0] in ("sample", "eval"):  # the command, to be pasted
        words = shlex.split(outcome.err.split(" is sound: ")[1])
        assert words[:3] == ["charrnn", command[0], str(last)]
        assert charrnn(*words[1:]).code == 0
    else:
        assert f"give it instead of {run}" in outcome.err
    assert charrnn(*arguments(command, last, text_file)).code == 0
    last.write_bytes(b"")
    outcome = charrnn(*arguments(command, run, text_file))
    assert "step-60.safetensors is sound: " in outcome.err
    for file in (run / "checkpoints").iterdir():
        file.write_bytes(b"")
    outcome = charrnn(*arguments(command, run, text_file))
    assert (outcome.code, "is sound" in outcome.err) == (3, False)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_missing_best_checkpoint_is_noted(charrnn, run, text_file, command) -> None:
    assert "no best checkpoint" not in charrnn(*arguments(command, run, text_file)).err
    (run / "checkpoints/best.safetensors").unlink()
    outcome = charrnn(*arguments(command, run, text_file))
    assert outcome.code == 0
    assert f"note: {run} has no best checkpoint: last.safetensors is used." in outcome.err
