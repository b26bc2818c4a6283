"""Helpers to run sweeps as processes, and to look at their studies."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from optuna.trial import FrozenTrial, TrialState

from charrnn.errors import CharrnnError
from charrnn.sweeps.study import load_study

SMALL = (
    "training.batch_size=4",
    "training.window=8",
    "evaluation.count=3",
    "evaluation.sample_length=0",
)
SPACE = """
optimizer.learning_rate: {log: [3e-3, 3e-2]}
model:
  hidden_size: [8, 16]
  dropout: {range: [0.0, 0.2], step: 0.1}
"""
T = TypeVar("T")
SECONDS = 120.0  # within which what a test waits for has to happen


def arguments(text: Path, *more: object) -> list[str]:
    """The command line of a small sweep of random trials in the study `tries`."""
    Path("space.yaml").write_text(SPACE)
    small = [f"--set={assignment}" for assignment in SMALL]
    own = ["--space", "space.yaml", "--study", "tries", "--sampler", "random", "--seed", "7"]
    return ["sweep", str(text), *small, *own, *map(str, more)]


def trials(storage: str | None = None) -> list[FrozenTrial]:
    """All trials of the study."""
    return load_study("tries", storage).get_trials(deepcopy=False)


def outcomes(found: list[FrozenTrial]) -> list[tuple[TrialState, dict[str, object], float | None]]:
    """What was tried, and what came of it."""
    return [(trial.state, trial.params, trial.value) for trial in found]


@contextmanager
def process(line: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command line as a process of a session of its own, all of which is killed at the end."""
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    started = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "charrnn", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        for number in members(started.pid):
            os.kill(number, signal.SIGKILL)
        started.communicate()


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def until(look: Callable[[], T]) -> T:
    """Waits until a function returns something."""
    end = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def worker_of(trial: FrozenTrial) -> int | None:
    """The process that works on a trial."""
    worker = trial.user_attrs.get("worker")
    if trial.state is not TrialState.RUNNING or not worker:
        return None
    try:
        found = re.match(r"process (\d+)", Path(worker["lock"]).read_text())
    except OSError:
        return None
    return found and int(found[1])


def kill_at_work(storage: str | None = None, used: float = 1.0) -> int:
    """Kills a process that works on a trial, of whose budget at most this is used; returns it."""

    def kill() -> int | None:
        for trial in trials(storage):
            pid = worker_of(trial)
            if pid and has_begun(trial) and used_by(trial) <= used:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return pid
        return None

    return until(kill)


def has_begun(trial: FrozenTrial) -> bool:
    """Whether the run of a trial was saved."""
    return Path(trial.user_attrs.get("run", ""), "checkpoints", "last.safetensors").is_file()


def used_by(trial: FrozenTrial) -> float:
    """How much of its budget a trial has used, as far as it is logged."""
    log = Path(trial.user_attrs["run"], "metrics.jsonl").read_text()
    return max(map(float, re.findall(r'"used": ([\d.e-]+)', log)), default=0.0)


def is_there(storage: str | None = None) -> bool:
    """Whether the study has trials."""
    try:
        return bool(trials(storage))
    except CharrnnError:
        return False
