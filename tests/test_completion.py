"""What the shells complete, driven through the protocol of Typer's scripts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from charrnn.cli import completers, completion
from charrnn.cli.explain import TOPICS
from charrnn.cli.gradcheck import ORACLES
from charrnn.cli.main import COMMANDS, app
from charrnn.cli.plot import WHATS
from charrnn.cli.runs import COLUMNS
from charrnn.config.schema import settings
from charrnn.setup.named_texts import known_texts
from charrnn.system.resources import config_paths, text_resources

SHELLS = ("bash", "zsh", "fish")
KEYS = {key for key, _, _ in settings()}


def environment(shell: str, *words: str) -> dict[str, str]:
    """What the script of a shell sets when Tab is pressed at the end of the last word."""
    shared = {completion.VARIABLE: f"complete_{shell}"}
    if shell == "bash":  # divides words at = and :
        parts = [part for word in words for part in divided(word)]
        return shared | {"COMP_WORDS": "\n".join(parts), "COMP_CWORD": str(len(parts) - 1)}
    return shared | {
        "_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip


def divided(word: str) -> list[str]:
    parts = [part for part in word.replace("=", " = ").replace(":", " : ").split(" ") if part]
    return parts or [""]


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch):
    """Returns the completed values of the last word, as the shell would show them."""

    def run(shell: str, *words: str) -> list[str]:
        for name, value in environment(shell, "charrnn", *words).items():
            monkeypatch.setenv(name, value)
        answer, code = completion.completions(typer.main.get_command(app), f"complete_{shell}")
        assert code == 0
        if shell == "bash":
            return answer.split("\n") if answer else []
        if shell == "fish":
            return [line.partition("\t")[0] for line in answer.splitlines()]
        if answer == "_files":
            return []
        begin, end = "_arguments '*: :((", "))'"
        assert answer.startswith(begin)
        assert answer.endswith(end)
        rows = answer.removeprefix(begin).removesuffix(end).split("\n")
        return [row.split('"')[1].replace(r"\\:", ":") for row in rows]

    return run


@pytest.fixture
def folder(tmp_path: Path, trained: Path) -> Path:
    """The working directory, with runs, configs and texts."""
    for name in ("runs/first", "runs/second", "other/third"):
        shutil.copytree(trained, tmp_path / name)
    (tmp_path / "mine.yaml").write_text("model: {layers: 2}")
    (tmp_path / "fable.txt").write_text("once upon a time")
    (tmp_path / "runs" / "notes.txt").write_text("no run")
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_and_what_they_take(shell: str, complete, folder: Path) -> None:
    assert complete(shell, "") == [*COMMANDS]
    assert complete(shell, "grad") == ["gradcheck", "gradflow"]
    assert complete(shell, "train", "--hid") == ["--hidden-size"]
    assert complete(shell, "train", "-c", "") == [*config_paths(), "mine.yaml"]
    assert complete(shell, "inspect", "--config", "t") == ["tanh-3m", "tiny"]
    assert complete(shell, "train", "--resume", "") == ["runs/first", "runs/second"]
    assert complete(shell, "sample", "runs/s") == ["runs/second"]
    assert complete(shell, "plot", "runs/first", "ru") == ["runs/first", "runs/second"]
    assert complete(shell, "sample", "other/") == ["other/third"]
    assert complete(shell, "report", "runs/first/checkpoints/l") == [
        "runs/first/checkpoints/last.safetensors"
    ]
    assert complete(shell, "eval", "runs/first", "f") == ["farrow-quay", "fable.txt"]
    assert complete(shell, "train", "") == [
        *text_resources(), *known_texts(), "fable.txt", "mine.yaml", "other/", "runs/",
    ]  # fmt: skip
    assert complete(shell, "texts", "ti") == ["tinyshakespeare"]
    assert complete(shell, "train", "runs/") == []  # the shell completes files by itself
    assert complete(shell, "gradcheck", "re") == ["relu-20m", "relu-3m", "relu"]
    assert complete(shell, "explain", "vanishing", "t") == ["tanh-3m", "tiny"]


@pytest.mark.parametrize("shell", SHELLS)
def test_names_to_choose_from(shell: str, complete) -> None:
    assert complete(shell, "train", "--activation", "") == ["tanh", "sigmoid", "relu"]
    assert complete(shell, "train", "--optimizer", "ad") == ["adagrad", "adam", "adamw"]
    assert complete(shell, "train", "--errors", "s") == ["strict"]
    assert complete(shell, "explain", "fo") == ["forward", "forward-mode"]
    assert complete(shell, "gradcheck", "--oracle", "r") == ["rtrl"]
    assert complete(shell, "plot", "x", "--what", "l") == ["loss", "learning-rate", "lag-profile"]
    assert complete(shell, "runs", "--sort", "d") == ["difference"]


@pytest.mark.parametrize("shell", SHELLS)
def test_keys_and_values(shell: str, complete) -> None:
    assert set(complete(shell, "train", "--set", "")) == {f"{key}=" for key in KEYS}
    assert complete(shell, "config", "--set", "training.clip") == [
        "training.clip.by=", "training.clip.threshold=",
    ]  # fmt: skip
    # with the values beside it there is more than one, so that no space is added
    assert complete(shell, "train", "--set", "model.act") == [
        "model.activation=", "model.activation=tanh", "model.activation=sigmoid",
        "model.activation=relu",
    ]  # fmt: skip
    key = "" if shell == "bash" else "model.activation="
    assert complete(shell, "train", "--set", "model.activation=") == [
        f"{key}tanh", f"{key}sigmoid", f"{key}relu",
    ]  # fmt: skip
    assert complete(shell, "train", "--set", "model.activation=r") == [f"{key}relu"]
    key = "" if shell == "bash" else "optimizer.name="
    assert complete(shell, "train", "--set", "optimizer.name=s") == [f"{key}sgd"]
    key = "" if shell == "bash" else "model.bias="
    assert complete(shell, "train", "--set", "model.bias=") == [f"{key}true", f"{key}false"]
    key = "" if shell == "bash" else "--optimizer="
    assert complete(shell, "train", "--optimizer=s") == [f"{key}sgd"]
    key = "" if shell == "bash" else "--set=model.layers="
    assert complete(shell, "train", "--set=model.layers=") == [f"{key}1"]
    assert complete(shell, "train", "--set", "no.such=") == []


def test_names_that_are_copied_are_the_true_ones() -> None:
    from charrnn.commands import explain, gradcheck, runs
    from charrnn.report.run_curves import WHATS as TRUE_WHATS

    assert set(TOPICS) == set(explain.TOPICS)
    assert set(ORACLES) == set(gradcheck.ORACLES)
    assert set(COLUMNS) == set(runs.SORT_KEYS)
    assert set(WHATS) == set(TRUE_WHATS)


HOSTILE = [
    "a b", "$(touch owned)", "`touch owned`", "a'b", 'a"b', "a\nb", "\x1b[2J", "\\$(touch owned)",
    ");touch owned;(", "a*", "~root", "\u202eb", "a&b", "{x,y}", "é\udcff",
]  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_names_are_not_offered(shell: str, complete, folder: Path) -> None:
    for name in HOSTILE:
        (folder / "runs" / name / "checkpoints").mkdir(parents=True)
        (folder / f"{name}.yaml").touch()
        (folder / f"{name}.txt").touch()
    assert complete(shell, "sample", "runs/") == ["runs/first", "runs/second"]
    assert complete(shell, "train", "-c", "") == [*config_paths(), "mine.yaml"]
    for typed in ("a'", '"a', "a\\", "$(touch owned)", "`", "\x1b", "a b", "\\", "((", "--set"):
        complete(shell, "train", typed)
        complete(shell, "train", "--set", typed)
    assert not (folder / "owned").exists()


def run(shell: str, *words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "charrnn"],
        cwd=cwd,
        env=os.environ | environment(shell, "charrnn", *words) | more,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_through_a_process(shell: str, folder: Path) -> None:
    done = run(shell, "sample", "runs/f", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "runs/first" in done.stdout
    assert "second" not in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_whatever_is_wrong_nothing_is_written(shell: str, tmp_path: Path) -> None:
    nothing = "_files\n" if shell == "zsh" else "\n"
    for more in (
        {},
        {"COMP_CWORD": "x", "_TYPER_COMPLETE_ARGS": "charrnn sample '"},
        {"COMP_WORDS": "charrnn\nnothing\nx", "_TYPER_COMPLETE_ARGS": "charrnn nothing x"},
        {"COMP_WORDS": "charrnn\n--foo\nx", "_TYPER_COMPLETE_ARGS": "charrnn --foo x"},
    ):
        done = run(shell, "sample", "no/such/", cwd=tmp_path, **more)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", nothing)


def test_powershell_gets_values_with_their_help(tmp_path: Path) -> None:
    word = {"_TYPER_COMPLETE_WORD_TO_COMPLETE": "--res"}
    done = run("powershell", "train", "--res", cwd=tmp_path, **word)
    assert done.stdout == "--resume:::Resume the run in this directory.\n"
    word = {"_TYPER_COMPLETE_WORD_TO_COMPLETE": ""}
    done = run("powershell", "train", "--activation", cwd=tmp_path, **word)
    assert done.stdout.split() == ["tanh:::", "sigmoid:::", "relu:::"]


def test_fish_asks_first_whether_there_is_anything(tmp_path: Path) -> None:
    asked = {"_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    assert run("fish", "tr", cwd=tmp_path, **asked).returncode == 0
    assert run("fish", "sample", "zz", cwd=tmp_path, **asked).returncode == 1


def test_a_folder_that_cannot_be_read_has_nothing(monkeypatch, tmp_path: Path) -> None:
    def refuse(path: str):
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "scandir", refuse)
    assert completers.runs("") == []
    assert completers.texts("") == [*text_resources(), *known_texts()]


@pytest.mark.parametrize(
    "content", ["lamp:\n  url: x\n# oil:\n$(rm x):\n", "lamp: {", "lamp:\udcff"]
)
def test_texts_of_the_own_list(monkeypatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "list").write_text(content, errors="surrogateescape")
    monkeypatch.setenv("CHARRNN_TEXTS", str(tmp_path / "list"))
    assert completers.named_texts("") == [*text_resources(), *known_texts(), "lamp"]
    (tmp_path / "list").unlink()
    assert completers.named_texts("l") == []
    os.mkfifo(tmp_path / "list")  # which nobody writes to
    assert completers.named_texts("l") == []


def test_of_thousands_of_runs_only_some_are_offered(tmp_path: Path, monkeypatch) -> None:
    for number in range(2500):
        (tmp_path / f"runs/r{number}/checkpoints").mkdir(parents=True)
    assert len(completers.runs("runs/")) == completers.MAX_OFFERED
    assert completers.runs("runs/r2499") == ["runs/r2499"]
    monkeypatch.setattr(completers, "MAX_SECONDS", -1)
    assert completers.runs("runs/") == []


def test_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from charrnn.cli import main; main.run([]); "
        "sys.exit(str({'numpy', 'rich', 'yaml', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | environment("zsh", "charrnn", "train", "--set", "model.act"),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "model.activation=relu" in done.stdout
    assert done.stderr.strip() == "set()"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_shown(shell: str, charrnn, monkeypatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: (shell, f"/bin/{shell}"))
    outcome = charrnn("--show-completion")
    assert outcome.code == 0
    assert f"{completion.VARIABLE}=complete_{shell}" in outcome.out


def test_completion_is_installed_for_this_user(charrnn, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    outcome = charrnn("--install-completion")
    assert (outcome.code, outcome.err) == (0, "")
    assert completion.VARIABLE in (tmp_path / ".bash_completions/charrnn.sh").read_text()
