"""The commands of the README and the docs run, and the help texts are current."""

import hashlib
import io
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from charrnn.cli import main
from charrnn.setup.named_texts import known_texts
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
    "export",
    "texts",
    "sweep",
)
DOCS = README.parent / "docs"
PAGES = (README, *(DOCS / f"{name}.md" for name in ("gradients", "evaluation", "texts", "sweeps")))


def test_help_blocks_are_current() -> None:
    page = COMMANDS_PAGE.read_text(encoding="utf-8")
    assert {found[2] for found in BLOCK.finditer(page)} == set(COMMANDS)
    assert with_current_help(page) == page, "make help"


def put_into_the_cache(folder: Path, monkeypatch) -> None:
    """Other texts in place of those that have to be downloaded."""
    stand_in = text_resources()[CORPUS_NAME]
    sha256 = hashlib.sha256(stand_in.read_bytes()).hexdigest()
    known = {
        name: entry.model_copy(update={"sha256": sha256}) for name, entry in known_texts().items()
    }
    monkeypatch.setattr("charrnn.setup.named_texts.known_texts", lambda: known)
    monkeypatch.setenv("CHARRNN_CACHE", str(folder / "cache"))
    for name in known:
        (folder / "cache" / "texts").mkdir(parents=True, exist_ok=True)
        shutil.copy(stand_in, folder / "cache" / "texts" / f"{name}.txt")


def test_every_command_of_the_pages_runs(charrnn, tmp_path: Path, monkeypatch) -> None:
    """In order, in one folder, with short training and a small default model, and no input."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    put_into_the_cache(tmp_path, monkeypatch)
    for name in ("my-text.txt", "part-1.txt", "part-2.txt", "other-text.txt"):
        shutil.copy(text_resources()[CORPUS_NAME], tmp_path / name)
    shutil.copy(spaces(tmp_path)[0], "space.yaml")
    pages = [COMMAND.findall(page.read_text(encoding="utf-8")) for page in PAGES]
    assert all(pages)
    for command in dict.fromkeys(command for page in pages for command in page):
        arguments = shlex.split(command, comments=True)[1:]
        train = arguments[0] == "train"
        if train:
            arguments += ["--max-steps", "9" if "--resume" in arguments else "4"]
        if arguments[0] == "sweep" and "--space" in arguments:
            arguments += ["--trials", "2", "--max-steps", "4"]
        if (train and not {"--resume", "-c"} & {*arguments}) or "--compare" in arguments:
            arguments += ["--set", "model.hidden_size=16"]
        outcome = charrnn(*arguments)
        assert outcome.code == 0, (command, outcome.err)


def spaces(folder: Path) -> list[Path]:
    """The spaces of the page on sweeps, as files."""
    found = re.findall(r"```yaml\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL)
    paths = [folder / f"space-{number}.yaml" for number in range(len(found))]
    for path, space in zip(paths, found, strict=True):
        path.write_text(space, encoding="utf-8")
    return paths


def test_the_spaces_and_scripts_of_the_page_on_sweeps_are_valid(tmp_path: Path) -> None:
    from charrnn.config.layers import load_config
    from charrnn.sweeps.space_file import read_space

    assert [len(read_space(str(path), load_config(None, [], {}), [])) for path in spaces(tmp_path)]
    scripts = re.findall(r"```sh\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL)
    slurm = next(script for script in scripts if "#SBATCH" in script)
    assert len(slurm.splitlines()) <= 10
    lines = re.findall(r"^(?:exec )?charrnn (.*)$", "".join(scripts), re.MULTILINE)
    for name, *arguments in map(shlex.split, lines):
        program = typer.main.get_command(main.app)
        command = program.commands[name]  # type: ignore[attr-defined]
        command.make_context(name, arguments, parent=program.make_context("charrnn", [name]))
    assert len(lines) == 4


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(text_resources()[CORPUS_NAME], "my-text.txt")
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    assert capsys.readouterr().out.startswith("The keeper")
    assert len(names["bits"]) == len("The harbour was empty.")
    assert [path.name for path in tmp_path.iterdir()] == ["my-text.txt"]


@pytest.mark.parametrize("path", [README, *sorted(DOCS.glob("*.md"))])
def test_links_are_not_broken(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target
