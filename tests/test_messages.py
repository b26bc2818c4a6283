"""Messages below the command line name settings and commands; only the roof knows their words."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

import charrnn
from charrnn.cli.main import app
from charrnn.report.flags import as_flags
from charrnn.system.escaping import harmless_message
from charrnn.wording import call, setting, word

PACKAGE = Path(charrnn.__file__).parent
ABOVE = {"cli", "report", "__main__.py"}  # what may speak of the command line
COMMANDS = "|".join(str(command.name) for command in app.registered_commands)
SPOKEN = re.compile(rf"charrnn (?:{COMMANDS}|…)|(?<![\w-])--(?!mpi=)[a-z]")  # of srun


def command_line_words(source: str) -> list[str]:
    """The strings of Python code that spell a command or an option; docstrings aside."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [getattr(part, "value", "") for part in node.values]
            texts.append("".join(part if isinstance(part, str) else "…" for part in parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts += [node.value] if node not in docstrings else []
    return [text for text in texts if SPOKEN.search(text)]


BELOW = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ABOVE
]


@pytest.mark.parametrize("path", BELOW, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_command_line_below_the_roof(path: Path) -> None:
    assert not command_line_words(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "planted",
    [
        'raise UsageError("it is complete.", "charrnn train --resume runs/a")',
        'hint = f"resume it: charrnn train {path}"',
        'def f():\n    """Reads."""\n    return "see charrnn " "inspect"',
        'hint = f"{start} with --init-from {path}"',
        'hint = f"charrnn {command} {path}"',
        'hint = "choose another with --out"',
    ],
)
def test_a_command_or_an_option_in_a_string_is_found(planted: str) -> None:
    assert command_line_words(planted)


@pytest.mark.parametrize(
    "innocent",
    ['"""See charrnn train --resume."""', '"charrnn wrote it; half -- or a-b"', "x = b'--a'[0]"],
)
def test_other_strings_are_not(innocent: str) -> None:
    assert not command_line_words(innocent)


PATHS = [
    "runs/a",
    "my run",
    "it's",
    'a "b"',
    "a`b`c",
    "a, b)",
    "\\",
    "\\u0060",
    "a\nb",
    "é\udcff",
    "true",
    "\x1b]0;owned\x07",
    "\u202egnp.exe",
    "山の上\xa0に",
    "$(touch owned)",
    '`train("a")`',
    "`until`",
    "x" * 3000,
]


def words_of(command: str) -> list[str]:
    """The words that a shell reads."""
    printed = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], check=True, capture_output=True
    )
    return [os.fsdecode(word) for word in printed.stdout.split(b"\0")[:-1]]


@pytest.mark.parametrize("path", PATHS)
def test_a_call_becomes_a_command(path: str) -> None:
    """Its words are those of a shell, and whatever stands around it stays."""
    suggestion = call("train", path, "-", config=path, init_from=path)
    rendered = as_flags(f"resume it: {suggestion}; or choose another `out`.")
    assert rendered.startswith("resume it: ")
    assert rendered.endswith("; or choose another --out.")
    command = rendered.removeprefix("resume it: ").removesuffix("; or choose another --out.")
    assert words_of(command) == ["charrnn", "train", path, "-", "-c", path, "--init-from", path]
    assert harmless_message(command) == command


@pytest.mark.parametrize("path", PATHS)
def test_a_value_or_a_path_is_a_word_of_a_shell(path: str) -> None:
    assert words_of(as_flags(setting("plot", path))) == ["--plot", path]
    assert words_of(as_flags(setting("data.text", path)))[0] == "--set"
    assert words_of(as_flags(word(path))) == [path]


def test_a_path_in_a_hint_is_no_option() -> None:
    assert words_of(as_flags(word("-run/a"))) == ["./-run/a"]
    assert as_flags(call("train", "-", resume="-run")) == "charrnn train - --resume ./-run"


def test_long_names_are_shortened_in_messages_and_whole_in_hints(charrnn, tmp_path) -> None:
    name = "x" * 3000
    outcome = charrnn("sample", name + "/" + name)
    assert outcome.code == 3
    assert len(outcome.err) < 600
    folder = tmp_path / ("y" * 250) / ("z" * 250)
    folder.mkdir(parents=True)
    (folder / "a.safetensors").touch()
    hint = charrnn("sample", folder).err.split("hint:")[1]
    assert str(folder) in hint


@pytest.mark.parametrize("text", ["`f(x)`", '`f("\\x")`', '`f("a" "b")`', "`f(", '`f("a)`'])
def test_what_is_not_a_call_stays(text: str) -> None:
    assert as_flags(text) == text
