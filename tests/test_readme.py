"""The commands of the README run, and the help texts of the docs are current."""

import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

from charrnn.system.resources import CORPUS_NAME, text_resources
from tests.help_blocks import BLOCK, COMMANDS_PAGE, with_current_help

README = Path(__file__).parent.parent / "README.md"

COMMAND = re.compile(r"^\$ (charrnn .*)$", re.MULTILINE)
COMMANDS = (
    "train",
    "sample",
    "eval",
    "gradcheck",
    "gradflow",
    "inspect",
    "explain",
    "runs",
    "plot",
    "config",
    "report",
)
TEXT = README.read_text(encoding="utf-8")


def test_help_blocks_are_current() -> None:
    page = COMMANDS_PAGE.read_text(encoding="utf-8")
    assert {found[2] for found in BLOCK.finditer(page)} == set(COMMANDS)
    assert with_current_help(page) == page, "make help"


def test_every_command_of_the_readme_runs(charrnn, tmp_path: Path, monkeypatch) -> None:
    """In order, in one folder, with short training and a small default model, and no input."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("my-text.txt", "part-1.txt", "part-2.txt", "other-text.txt"):
        shutil.copy(text_resources()[CORPUS_NAME], tmp_path / name)
    commands = COMMAND.findall(TEXT)
    assert len(commands) > 10
    for command in commands:
        arguments = shlex.split(command, comments=True)[1:]
        train = arguments[0] == "train"
        if train:
            arguments += ["--max-steps", "9" if "--resume" in arguments else "4"]
        if (train and not {"--resume", "-c"} & {*arguments}) or "--compare" in arguments:
            arguments += ["--set", "model.hidden_size=16"]
        outcome = charrnn(*arguments)
        assert outcome.code == 0, (command, outcome.err)


@pytest.mark.parametrize("path", [README, *sorted((README.parent / "docs").glob("*.md"))])
def test_links_are_not_broken(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target
