"""Shared fixtures: strict arithmetic, fixed random seeds, a small trained run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from charrnn.cli import main
from charrnn.commands import inspect
from charrnn.setup import planning
from tests.browser import browser, chromium  # noqa: F401

settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=40)
settings.register_profile(
    "long", derandomize=False, deadline=None, max_examples=1000, database=None, print_blob=True
)
settings.load_profile("fixed")  # unless --hypothesis-profile is given, which is read after this

TINY_SETTINGS = [
    "model.hidden_size=16",
    "training.batch_size=4",
    "training.window=8",
    "training.workers=2",
    "evaluation.count=3",
]
# -c: what a test is not about is not chosen for its text
TINY = ["-c", "default", *(word for setting in TINY_SETTINGS for word in ("--set", setting))]
UNSIZED = [*TINY[:2], *TINY[4:]]  # a parent has a size

RHYME = (
    "The keeper went up with a lamp in his hand,\n"
    "The water came in and it took back the sand.\n"
    "Four steps and a bell, and a boat on the bar;\n"
    "The light is not lost, it is only too far.\n\n"
)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps tests, and the programs that they start, away from the user's cache and list."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "texts.yaml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARRNN_CACHE", str(folder / "cache"))
        patch.setenv("CHARRNN_TEXTS", str(folder / "texts.yaml"))
        yield


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _strict_arithmetic() -> Iterator[None]:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield


@pytest.fixture(autouse=True)
def _short_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the trial steps of `charrnn inspect`, and of plans for a time."""
    for module in (inspect, planning):
        monkeypatch.setattr(module, "TRIAL_SECONDS", 0.01)


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def charrnn(capfd: pytest.CaptureFixture[str]):
    """Runs the command line in this process."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main.run([str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "rhyme.txt"
    path.write_text(RHYME * 12, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    """The directory of a small run of 60 steps."""
    out = tmp_path_factory.mktemp("runs") / "rhyme"
    arguments = ["train", str(text_file), *TINY, "--max-steps", "60", "--out", str(out)]
    assert main.run(arguments) == 0
    return out


@pytest.fixture(scope="session")
def stacked(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    """The directory of a run of 30 steps, of two layers with dropout."""
    out = tmp_path_factory.mktemp("runs") / "stacked"
    settings = [*TINY, "--set", "model.hidden_size=8", "--set", "model.dropout=0.1"]
    arguments = ["train", str(text_file), *settings, "--layers", "2", "--max-steps", "30"]
    assert main.run([*arguments, "--out", str(out)]) == 0
    return out
