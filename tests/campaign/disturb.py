"""Disturbs runs at random moments (signals, lost disks), and reads damaged and forged files.

    python -m tests.campaign --minutes 20

runs until the time is up and prints the counts; the tests run a few of each kind.
"""

import argparse
import collections
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from charrnn.training.checkpoint import load
from tests.conftest import RHYME
from tests.hostile import CHECKS

OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw")
CLOCK = {"seconds", "step_seconds", "evaluated", "evaluation_seconds", "characters_per_second"}
PATIENCE = 120  # seconds that a child may take
FILES = 400  # mutated and read per trial
SMALL = 64  # bytes: no file can grow beyond it, as if the disk were full


class Trial:
    """A run of about a second, once undisturbed and then repeatedly disturbed."""

    def __init__(self, folder: Path, optimizer: str, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.counts: collections.Counter[str] = collections.Counter()  # disturbances by name
        choose = self.random.choice
        settings = {
            "model.hidden_size": 16,
            "training.batch_size": 4,
            "training.window": 8,
            "training.workers": choose([1, 1, 2]),
            "training.seed": seed,
            "training.max_steps": 600,
            "training.patience": choose(["null", 9]),
            "optimizer.name": optimizer,
            "data.sequences": choose(["stream", "stream", "lines"]),
            "evaluation.count": choose([2, 10]),
            "logging.every_steps": choose([1, 10]),
            "checkpoints.every": choose(["1e-6", "0.03"]),
        }
        folder.mkdir()
        (folder / "text.txt").write_text(RHYME * 12, encoding="utf-8")
        self._new = ["text.txt"]
        self._new += [x for key, value in settings.items() for x in ("--set", f"{key}={value}")]
        start = time.monotonic()
        finish(self.begin("whole"), 0)
        self.seconds = time.monotonic() - start

    def begin(self, out: str) -> "subprocess.Popen[str]":
        """Starts training in a separate process, resuming if `out` has a checkpoint."""
        left = any((self.folder / out).glob("checkpoints/*.safetensors"))
        how = ["--resume", out] if left else [*self._new, "--out", out]
        return subprocess.Popen(
            [sys.executable, "-m", "charrnn", "train", *how],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=os.environ | {"TMPDIR": str(self.folder)},
        )

    def begun(self, out: str) -> "subprocess.Popen[str]":
        """Starts training, then waits for the first checkpoint and a random time after it."""
        child = self.begin(out)
        while child.poll() is None and not self.checkpoint(out, "last").exists():
            time.sleep(0.005)
        self.pause(0.0, 0.5)
        return child

    def pause(self, least: float, most: float) -> None:
        """Sleeps for a random fraction of the duration of the undisturbed run."""
        time.sleep(self.random.uniform(least, most) * self.seconds)

    def complete(self, child: "subprocess.Popen[str]", out: str) -> str:
        """Waits for a run, resuming it if it failed; returns its standard error."""
        said = finish(child, 0, 1)
        if child.returncode:
            finish(self.begin(out), 0)
        return said

    def checkpoint(self, out: str, name: str) -> Path:
        """The path of a checkpoint file."""
        return self.folder / out / f"checkpoints/{name}.safetensors"

    def compare(self, out: str) -> None:
        """Asserts that the run in `out` left the same results as the undisturbed one."""
        assert self._facts(out) == self._facts("whole")

    def _facts(self, out: str) -> dict[str, object]:
        """The results of a run, except for times."""
        found: dict[str, object] = {}
        for name in ("best", "last"):
            checkpoint = load(self.checkpoint(out, name))
            state = checkpoint.state
            arrays = {slot: values.flat for slot, values in state.optimizer.slots.items()}
            arrays |= {"weights": state.params.flat, "h": state.h}
            found[name] = {
                "arrays": {key: array.tobytes() for key, array in arrays.items()},
                "count": state.optimizer.count,
                "progress": {k: v for k, v in vars(state.progress).items() if k not in CLOCK},
                "config": checkpoint.config,
                "vocabulary": checkpoint.vocabulary.characters,
            }
        lines = (self.folder / out / "metrics.jsonl").read_text("utf-8").splitlines()
        found["metrics"] = [
            {key: value for key, value in json.loads(line).items() if key not in CLOCK}
            for line in lines
        ]
        return found


def finish(child: "subprocess.Popen[str]", *codes: int) -> str:
    """Waits for a child to exit with one of these codes; returns its standard error."""
    said = child.communicate(timeout=PATIENCE)[1]
    assert child.returncode in codes, f"exit {child.returncode}, not {codes}: {said}"
    assert "Traceback" not in said, said
    return said


def text_of(path: Path) -> str:
    """The text of a file; empty if there is none."""
    return path.read_text("utf-8") if path.exists() else ""


def kill(trial: Trial, out: str) -> None:
    """Kills or stops a run at random moments until it completes."""
    while True:
        child = trial.begin(out)
        number = trial.random.choice(
            [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
        )
        if number != signal.SIGKILL:  # handlers of the others are installed after start
            lock = trial.folder / out / ".lock"
            while child.poll() is None and f"process {child.pid} " not in text_of(lock):
                time.sleep(0.005)
        trial.pause(0.2, 0.6)
        child.send_signal(number)
        said = finish(child, 130, -number, 0, 2)
        if child.returncode == 2:  # it had completed before it was killed
            assert "all of its budget" in said or "its patience is used up" in said, said
        if child.returncode in (0, 2):
            break
        trial.counts[signal.Signals(number).name] += 1
    trial.compare(out)


def fill_disk(trial: Trial, out: str) -> None:
    """Lets no file grow for a while; the run continues and saves later."""
    child = trial.begun(out)
    limit_files(child, SMALL)
    trial.pause(0.1, 0.4)
    limit_files(child, resource.RLIM_INFINITY)
    trial.complete(child, out)
    trial.compare(out)
    trial.counts["disk full for a while"] += 1


def keep_disk_full(trial: Trial, out: str) -> None:
    """Lets no file grow until the end; earlier checkpoints are sound and can be resumed."""
    child = trial.begun(out)
    limit_files(child, SMALL)
    trial.complete(child, out)
    trial.compare(out)
    trial.counts["disk full to the end"] += 1


def take_away(trial: Trial, out: str) -> None:
    """Moves the run directory away for a while."""
    child = trial.begun(out)
    folder = trial.folder / out
    os.rename(folder, folder.with_name("away"))
    trial.pause(0.1, 0.4)
    os.rename(folder.with_name("away"), folder)
    trial.complete(child, out)
    trial.compare(out)
    trial.counts["directory away for a while"] += 1


def forbid(trial: Trial, out: str) -> None:
    """Replaces the checkpoint directory with a file, so that no checkpoint can be written."""
    child = trial.begun(out)
    folder = trial.folder / out / "checkpoints"
    os.rename(folder, folder.with_name("kept"))
    folder.touch()
    finish(child, 0, 1)
    folder.unlink()
    os.rename(folder.with_name("kept"), folder)
    if child.returncode:
        finish(trial.begin(out), 0)
    trial.compare(out)
    trial.counts["checkpoints not writable"] += 1


def remove(trial: Trial, out: str) -> None:
    """Removes the directory and starts another run there; neither disturbs the other."""
    child = trial.begun(out)
    rescued = set(trial.folder.glob("charrnn-*"))
    os.rename(trial.folder / out, trial.folder / "trash")
    shutil.rmtree(trial.folder / "trash", ignore_errors=True)
    finish(trial.begin(out), 0)
    trial.compare(out)
    said = finish(child, 0, 1)
    if "cannot be saved" in said:  # it had not started training yet
        assert child.returncode == 1
    elif child.returncode:
        (elsewhere,) = set(trial.folder.glob("charrnn-*")) - rescued
        assert elsewhere.name in said, said
        found, whole = (load(trial.checkpoint(run, "last")) for run in (elsewhere.name, "whole"))
        assert np.array_equal(found.params.flat, whole.params.flat)
    trial.counts["directory removed"] += 1


def limit_files(child: "subprocess.Popen[str]", size: int) -> None:
    """Limits the size of files that a running child may write, in bytes."""
    if child.poll() is None:
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


DISTURBANCES: list[Callable[[Trial, str], None]] = [
    kill,
    fill_disk,
    keep_disk_full,
    take_away,
    forbid,
    remove,
]


def main() -> None:
    """Runs the campaign until its time is up; a loss ends it and keeps the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    end, number = time.monotonic() + 60 * arguments.minutes, arguments.seed
    while time.monotonic() < end:
        trial = Trial(folder / str(number), OPTIMIZERS[number % 6], number)
        for disturb in DISTURBANCES:
            disturb(trial, disturb.__name__)
            counts["runs that ended as if nothing had happened"] += 1
        counts += trial.counts
        good = trial.checkpoint("whole", "best")
        for _ in range(FILES):
            trial.random.choice(CHECKS)(good, trial.folder / "file", trial.random)
            counts["mutated files refused or sound"] += 1
        shutil.rmtree(trial.folder)
        number += 1
    for name, count in counts.items():
        sys.stdout.write(f"{count:6,} {name}\n")
    sys.stdout.write("     0 losses\n")


if __name__ == "__main__":
    main()
