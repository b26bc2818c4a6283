"""All commands interpret paths and config names in the same way."""

import shutil
from pathlib import Path

import pytest

from charrnn.setup.paths import Kind, kind_of
from charrnn.system.resources import config_paths


@pytest.fixture
def folder(tmp_path: Path, trained: Path) -> Path:
    shutil.copytree(trained, tmp_path / "runs/a")
    shutil.copytree(trained, tmp_path / "runs/b")
    shutil.copytree(trained, tmp_path / "sweeps/lr/trial-0")
    (tmp_path / "sweeps/lr/study.journal").touch()
    (tmp_path / "notes.txt").write_text("some notes\n" * 40)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/one.txt").write_text("one text\n" * 40)
    (tmp_path / "mine.yaml").write_text("model: {hidden_size: 8}\n")
    (tmp_path / "program").write_bytes(b"\x7fELF\0\0\0\0")
    shutil.copy(trained / "checkpoints/best.safetensors", tmp_path / "moved")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("runs/a", Kind.RUN),
        ("runs", Kind.RUNS),
        ("sweeps/lr", Kind.SWEEP),
        ("runs/a/checkpoints", Kind.CHECKPOINTS),
        ("runs/a/checkpoints/best.safetensors", Kind.CHECKPOINT),
        ("moved", Kind.CHECKPOINT),
        ("lost.safetensors", Kind.CHECKPOINT),
        ("notes.txt", Kind.TEXT),
        ("texts", Kind.TEXT),
        ("mine.yaml", Kind.CONFIG),
        ("classic", Kind.CONFIG),
        ("program", Kind.BINARY),
        ("nothing", Kind.MISSING),
        ("", Kind.MISSING),
        ("a\0b", Kind.MISSING),
    ],
)
def test_kinds(folder: Path, path: str, kind: Kind) -> None:
    assert kind_of(path) is kind


def test_a_run_takes_precedence_over_a_config_of_its_name_and_a_text_does_not(folder: Path) -> None:
    (name, other, *_) = config_paths()
    shutil.copytree(folder / "runs/a", folder / name)
    Path(other).write_text("a text")
    assert kind_of(name) is Kind.RUN
    assert kind_of(other) is Kind.CONFIG


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sample", "notes.txt"], 3, "notes.txt is a text, not a checkpoint."),
        (["sample", "program"], 3, "program is a binary file, not a checkpoint."),
        (["sample", "runs"], 3, "name one of them, such as runs/a\n"),
        (["sample", "runs/a/checkpoints"], 3, "such as runs/a/checkpoints/best.safetensors\n"),
        (["train", "runs/a/checkpoints"], 2, "is a folder of checkpoints, not a text."),
        (["train", "runs/a"], 2, "resume it: charrnn train --resume runs/a"),
        (["eval", "runs/a", "runs/a"], 2, "give a text file"),
        (["train", "mine.yaml"], 2, "mine.yaml is a config, not a text."),
        (["eval", "runs/a", "mine.yaml"], 2, "use it as -c mine.yaml"),
        (["sample", "classic"], 3, "charrnn train -c classic"),
        (["sample", "nothing"], 3, "there is no checkpoint 'nothing'"),
        (["eval", "notes.txt", "runs/a"], 3, "notes.txt is a text, not a checkpoint."),
        (["eval", "runs/a", "runs/b"], 2, "runs/b is a run directory, not a text."),
        (["gradcheck", "notes.txt"], 3, "notes.txt is a text, not a checkpoint."),
        (["gradflow", "notes.txt"], 3, "notes.txt is a text, not a checkpoint."),
        (["gradcheck", "clasic"], 2, "did you mean classic?"),
        (["gradflow", "clasic"], 2, "did you mean classic?"),
        (["gradcheck", "runs/a", "--set", "model.bias=false"], 2, "has its own config"),
        (["gradflow", "runs/a", "--set", "model.bias=false"], 2, "has its own config"),
        (["gradcheck", "runs/a", "-c", "tiny"], 2, "choose one of them"),
        (["gradflow", "runs/a", "-c", "tiny"], 2, "choose one of them"),
        (["inspect", "runs/a", "notes.txt"], 2, "runs/a is a run directory, but notes.txt is not"),
        (["inspect", "runs"], 2, "name one of them, such as runs/a\n"),
        (["train", "runs/a"], 2, "charrnn train --resume runs/a"),
        (["train", "moved"], 2, "charrnn train TEXT --init-from moved"),
        (["train", "classic"], 2, "use it as -c classic"),
        (["train", "--init-from", "notes.txt"], 3, "notes.txt is a text, not a checkpoint."),
        (["train", ""], 3, "there is no file ''"),
        (["train", "notes.txt", ""], 3, "there is no file ''"),
        (["train", "--set", "data.text=['']"], 3, "there is no file ''"),
        (["train", "--resume", "runs/a", ""], 3, "there is no file ''"),
        (["inspect", ""], 3, "there is no file ''"),
        (["eval", "runs/a", ""], 3, "there is no file ''"),
        (["gradcheck", "--text", ""], 3, "there is no file ''"),
        (["gradflow", "runs/a", "--text", ""], 3, "there is no file ''"),
        (["train", "--resume", ""], 2, "--resume is empty"),
    ],
)
def test_a_path_of_the_wrong_kind_gets_a_specific_error(
    charrnn, folder: Path, arguments, code, words
) -> None:
    found = charrnn(*arguments)
    assert found.code == code, found
    assert words in found.err


COMMANDS = ["train", "inspect", "gradcheck", "gradflow"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            "runs/a",
            "runs/a is a run directory, not a config.\nhint:  such as -c runs/a/config.yaml",
        ),
        ("runs", "runs is a folder of runs, not a config.\nhint:  such as -c runs/a/config.yaml"),
        ("texts", "texts is a directory, not a config."),
        ("moved", "moved is a checkpoint, not a config.\nhint:  start from its weights:"),
        ("notes.txt", "if this is a text, give it without -c."),
        ("bytes", "if this is a text, give it without -c."),
        ("lost.safetensors", "is neither a file nor a built-in config."),
        ("", "is neither a file nor a built-in config."),
    ],
)
def test_a_config_that_is_none_gets_a_specific_error(
    charrnn, folder: Path, command: str, config: str, words: str
) -> None:
    (folder / "bytes").write_bytes(b"\xff" * 100)
    found = charrnn(command, "-c", config)
    assert found.code == 2, found
    assert words in found.err


def test_a_broken_yaml_file_is_not_taken_for_a_text(charrnn, folder: Path) -> None:
    for content in ("model: [", "some notes"):
        (folder / "mine.yaml").write_text(content)
        found = charrnn("train", "-c", "mine.yaml")
        assert found.code == 2
        assert "text" not in found.err


def test_a_built_in_config_is_found_beside_a_directory_of_its_name(charrnn, folder: Path) -> None:
    shutil.copytree(folder / "runs/a", folder / "classic")
    assert charrnn("gradcheck", "-c", "classic", "--text", "notes.txt").code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_text_or_a_config_given_twice_is_refused(charrnn, folder: Path, command: str) -> None:
    text = ["notes.txt"] if command in ("train", "inspect") else ["--text", "notes.txt"]
    found = charrnn(command, *text, "--set", "data.text=texts/one.txt")
    assert found.code == 2
    assert "notes.txt and --set data.text are both given." in found.err
    found = charrnn(command, *text, "-c", "tiny", "-c", "names")
    assert found.code == 2
    assert "the configs tiny and names are both given." in found.err


@pytest.mark.parametrize("command", ["gradcheck", "gradflow", "inspect"])
def test_every_command_takes_a_config(charrnn, folder: Path, command: str) -> None:
    small = ["--set", "model.hidden_size=8", "--set", "data.text=notes.txt"]
    small += ["--set", "training.batch_size=2", "--set", "training.window=8"]
    extra = [] if command == "inspect" else ["--seed", 3]
    named, flagged = (
        charrnn(command, *config, *small, *extra) for config in (["classic"], ["-c", "classic"])
    )
    assert named.code == flagged.code == 0, named.err
    assert "classic before training" in named.out or command == "inspect"
    if command != "inspect":  # which measures time
        assert named.out == flagged.out


def test_several_checkpoints_are_inspected(charrnn, folder: Path) -> None:
    found = charrnn("inspect", "runs/a", "runs/b")
    assert found.code == 0
    assert "runs/a/checkpoints/best" in found.out
    assert "runs/b/checkpoints/best" in found.out


def test_yaml_that_is_no_config_is_a_text(charrnn, folder: Path) -> None:
    (folder / "song.yaml").write_text("verse: [la, la, la]\n" * 60)
    outcome = charrnn("inspect", "song.yaml", "-c", "tiny", "--json")
    assert outcome.code == 0, outcome.err
