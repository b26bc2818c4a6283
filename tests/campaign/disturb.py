"""Disturbs runs at random moments: kills them, stops them, and takes away their disk."""

import os
import resource
import shutil
import signal
import time
from pathlib import Path

import numpy as np

from charrnn.training.checkpoint import load
from tests.campaign.original import ENDED, Original, checkpoint_of
from tests.campaign.process import Process, end, sane
from tests.campaign.trial import Trial

STEPS = 150
SMALL = 64  # bytes: no file can grow beyond it, as if the disk were full


def kill(trial: Trial) -> None:
    """Kills or stops a run at random moments until it completes."""
    random, out = trial.random, trial.folder / "run"
    original = Original.of(trial, STEPS)
    while True:
        child = original.begin(out)
        number = random.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        if number != signal.SIGKILL:  # handlers of the others are installed after start
            while child.poll() is None and f"process {child.pid} " not in text_of(out / ".lock"):
                time.sleep(0.005)
        time.sleep(random.uniform(0.2, 0.6) * original.seconds)
        if child.poll() is None:
            child.send_signal(number)
        found = end(child)
        said = found.err.decode()
        if found.code == 2:  # it had completed before it was killed
            assert any(why in said for why in ENDED), f"refused: {found}"
            break
        if sane(found, 130, -number, 0).code == 0:
            break
        trial.counts[signal.Signals(number).name] += 1
    original.compare(out)


def text_of(path: Path) -> str:
    """The text of a file; empty if there is none."""
    return path.read_text("utf-8", errors="replace") if path.exists() else ""


def _begun(trial: Trial) -> tuple[Original, Path, Process]:
    """Starts a run, then waits for the first checkpoint and a random time after it."""
    original, out = Original.of(trial, STEPS), trial.folder / "run"
    child = original.begin(out)
    while child.poll() is None and not checkpoint_of(out, "last").exists():
        time.sleep(0.005)
    _pause(trial, original, 0.5)
    return original, out, child


def _pause(trial: Trial, original: Original, most: float) -> None:
    """Sleeps for a random fraction of the duration of the undisturbed run."""
    time.sleep(trial.random.uniform(0.1, most) * original.seconds)


def _complete(original: Original, child: Process, out: Path) -> None:
    """Waits for a run, resumes it if it failed, and compares its results."""
    original.complete(sane(end(child), 0, 1), out)
    original.compare(out)


def fill_disk(trial: Trial) -> None:
    """Lets no file grow for a while; the run continues and saves later."""
    original, out, child = _begun(trial)
    _limit_files(child, SMALL)
    _pause(trial, original, 0.4)
    _limit_files(child, resource.RLIM_INFINITY)
    _complete(original, child, out)


def keep_disk_full(trial: Trial) -> None:
    """Lets no file grow until the end; earlier checkpoints are sound and can be resumed."""
    original, out, child = _begun(trial)
    _limit_files(child, SMALL)
    _complete(original, child, out)


def take_away(trial: Trial) -> None:
    """Moves the run directory away for a while."""
    original, out, child = _begun(trial)
    os.rename(out, out.with_name("away"))
    _pause(trial, original, 0.4)
    os.rename(out.with_name("away"), out)
    _complete(original, child, out)


def forbid(trial: Trial) -> None:
    """Replaces the checkpoint directory with a file, so that no checkpoint can be written."""
    original, out, child = _begun(trial)
    folder = out / "checkpoints"
    os.rename(folder, folder.with_name("kept"))
    folder.touch()
    found = sane(end(child), 0, 1)
    folder.unlink()
    os.rename(folder.with_name("kept"), folder)
    original.complete(found, out)
    original.compare(out)


def remove(trial: Trial) -> None:
    """Removes the directory and starts another run there; neither disturbs the other."""
    original, out, child = _begun(trial)
    os.rename(out, out.with_name("trash"))
    shutil.rmtree(out.with_name("trash"), ignore_errors=True)
    sane(end(original.begin(out)), 0)
    original.compare(out)
    found = sane(end(child), 0, 1)
    said = found.err.decode()
    if "cannot be saved" in said:  # it had not started training yet
        assert found.code == 1, f"not saved, but exit code 0: {found}"
    elif found.code:
        (elsewhere,) = trial.folder.glob("charrnn-*")
        assert elsewhere.name in said, f"not said where it was saved: {found}"
        saved, whole = (
            load(checkpoint_of(p, "last")) for p in (elsewhere, original.folder / "whole")
        )
        assert np.array_equal(saved.params.flat, whole.params.flat), f"saved otherwise: {found}"


def _limit_files(child: Process, size: int) -> None:
    """Limits the size of files that a running child may write, in bytes."""
    if child.poll() is None:
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
