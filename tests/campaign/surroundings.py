"""Unusual surroundings: other users, no home, no working directory, no threads, little memory."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.campaign.process import begin, end, environment, sane
from tests.campaign.small_run import SMALL, small_run
from tests.campaign.trial import Shared, Skipped, Trial

THREADS = [word.replace("workers=1", "workers=2") for word in SMALL]
COMMANDS: list[list[str]] = [
    ["train", "text.txt", *SMALL, "--max-steps", "3", "--out", "new"],
    ["train", "text.txt", *SMALL, "--max-steps", "3"],
    ["train", "text.txt", *THREADS, "--max-steps", "3", "--out", "new"],
    ["train", *SMALL, "--max-steps", "2", "--out", "new"],
    ["train", "--resume", "run", "--max-steps", "9"],
    ["train", "--resume", "run"],
    ["train", "text.txt", "--init-from", "run", *SMALL, "--max-steps", "2", "--out", "new"],
    ["sample", "run", "--length", "9"],
    ["sample", "run", "--length", "9", "--prime-file", "text.txt"],
    ["eval", "run", "text.txt"],
    ["inspect", "run"],
    ["inspect", "text.txt"],
    ["inspect", "."],
    ["explain", "terms"],
    ["explain", "forward", "run", "--text", "the"],
    ["explain", "slips", "--plot", "a.png"],
    ["gradcheck", "--fast", "--entries", "2"],
    ["gradcheck", "run", "--entries", "2"],
    ["gradflow", "run", "--lags", "4"],
    ["gradflow", "run", "--lags", "4", "--plot", "a.svg"],
    ["gradflow", "run", "--lags", "4", "--plot", "a.pdf", "--title", "T"],
    ["--help"],
    ["--version"],
]
PLOTS = [command for command in COMMANDS if "--plot" in command]
NOBODY = 65534


def _prepared(trial: Trial) -> Path:
    """A folder with a run and its text, which everyone may enter."""
    work = trial.folder / "work"
    shutil.copytree(trial.shared.made("small-run", small_run), work)
    for path in (trial.shared.folder, trial.folder, work):
        path.chmod(0o755)
    return work


def as_another_user(trial: Trial) -> None:
    """Runs a command as nobody, on files and folders that may not be read or written."""
    random = trial.random
    prefix, work = _as_nobody(trial.shared), _prepared(trial)
    given = random.choice(["nothing", "the folder", "everything"])
    if given != "nothing":
        for path in [work, *(work.rglob("*") if given == "everything" else [])]:
            os.chown(path, NOBODY, NOBODY)
    places = ["text.txt", "run", "run/checkpoints", "run/checkpoints/best.safetensors"]
    places += ["run/checkpoints/last.safetensors", "run/config.yaml", "run/metrics.jsonl", "."]
    for place in random.sample(places, random.choice([0, 1, 1, 2])):
        (work / place).chmod(random.choice([0o000, 0o111, 0o444, 0o555]))
    try:
        _run(random.choice(COMMANDS), work, random, prefix=prefix)
    finally:
        work.chmod(0o755)
    trial.counts["as another user"] += 1


def _as_nobody(shared: Shared) -> list[str]:
    """The command that runs another as nobody."""
    setpriv = shutil.which("setpriv")
    prefix = [setpriv or "", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def make(folder: Path, random: Random) -> None:
        shared.folder.chmod(0o755)
        folder.chmod(0o755)
        if setpriv:
            command = [*prefix, sys.executable, "-c", "import charrnn"]
            tried = subprocess.run(
                command, cwd=folder, env=environment(), check=False, capture_output=True
            )
            (folder / "works").write_text(str(tried.returncode), "utf-8")

    works = shared.made("nobody", make) / "works"
    if not works.exists():
        raise Skipped("no setpriv")
    if works.read_text("utf-8") != "0":
        raise Skipped("setpriv cannot become nobody, or nobody cannot read the program")
    return prefix


def without_home(trial: Trial) -> None:
    """Runs a command without a home, or with one that does not exist."""
    random, work = trial.random, _prepared(trial)
    home = random.choice([None, "/nonexistent", "", "relative", str(work / "text.txt")])
    env = environment(HOME=home, MPLCONFIGDIR=None, XDG_CACHE_HOME=None, XDG_CONFIG_HOME=None)
    prefix = _as_nobody(trial.shared) if random.random() < 0.3 and os.geteuid() == 0 else []
    _run(random.choice(PLOTS if random.random() < 0.5 else COMMANDS), work, random, prefix, env)
    trial.counts["without a home"] += 1


def in_a_deleted_directory(trial: Trial) -> None:
    """Runs a command in a working directory that was removed; paths are relative or absolute."""
    random, work = trial.random, _prepared(trial)
    gone = trial.folder / "gone"
    gone.mkdir()
    chosen = random.choice(COMMANDS)
    if random.random() < 0.5:
        paths = ("run", "text.txt", "new", "a.png", "a.svg", "a.pdf")
        chosen = [str(work / word) if word in paths else word for word in chosen]
    _run(chosen, gone, random, prepare=lambda: os.rmdir(gone))
    trial.counts["in a deleted directory"] += 1


def optimized(trial: Trial) -> None:
    """Runs a command with `python -O`, which leaves out assertions."""
    work = _prepared(trial)
    option = trial.random.choice(["-O", "-OO"])
    _run(trial.random.choice(COMMANDS), work, trial.random, python=[option])
    trial.counts["python -O"] += 1


def with_one_process(trial: Trial) -> None:
    """Runs a command as a user who may start no further thread; each trial has its own user."""
    _as_nobody(trial.shared)
    work, user = _prepared(trial), 60_000 + trial.number % 1000
    for path in [work, *work.rglob("*")]:
        os.chown(path, user, user)
    prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    _run(trial.random.choice(COMMANDS), work, trial.random, prefix=prefix, prepare=limit)
    trial.counts["without threads"] += 1


def with_little_memory(trial: Trial) -> None:
    """Runs a command with a limit on its address space.

    OpenBLAS, which NumPy multiplies with, ends the process itself if it gets no buffers.
    """
    work, random = _prepared(trial), trial.random
    most = random.choice([150, 200, 250, 300, 400, 600, 800]) << 20

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    found = end(begin(random.choice(COMMANDS), work, prepare=limit))
    if found.code == 1 and b"OpenBLAS error: Memory allocation" in found.err:
        trial.counts["with little memory, ended by OpenBLAS"] += 1
        return
    sane(found)
    trial.counts["with little memory"] += 1


def _run(
    arguments: list[str],
    folder: Path,
    random: Random,
    prefix: list[str] | None = None,
    env: dict[str, str] | None = None,
    python: list[str] | None = None,
    prepare: Callable[[], Any] | None = None,
) -> None:
    """Runs a command and checks that it behaved."""
    how: dict[str, Any] = {"prefix": prefix or [], "python": python or [], "env": env}
    sane(end(begin(arguments, folder, prepare=prepare, **how)))
