"""Runs whose system calls fail: a full disk, a broken one, quotas, permissions."""

import errno
import shutil
import subprocess
from pathlib import Path
from random import Random

from tests.campaign.original import Original, require_whole_files
from tests.campaign.process import end, environment, sane
from tests.campaign.trial import Shared, Skipped, Trial

CALLS = ("open", "write", "write", "fsync", "rename", "truncate", "mkdir", "unlink", "flock")
DISK = (errno.ENOSPC, errno.EIO, errno.EINTR, errno.EACCES, errno.EDQUOT)
UNSUPPORTED = (*DISK, errno.EINVAL)  # what fsync and flock may also say
FOREVER = 10**6
LOST_LINES = ("lacks its last", "lines; is the disk full", "metrics.jsonl")


def shim_of(shared: Shared) -> Path:
    """The library that makes calls fail, compiled once."""

    def make(folder: Path, random: Random) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler:
            source, built = Path(__file__).with_name("shim.c"), folder / "shim.so"
            command = [compiler, "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"]
            subprocess.run(command, check=False, capture_output=True)

    built = shared.made("shim", make) / "shim.so"
    if not built.exists():
        raise Skipped("no C compiler")
    return built


def fail_calls(trial: Trial) -> None:
    """Lets calls on files of the run fail, then resumes it where they do not."""
    random, out = trial.random, trial.folder / "run"
    shim = shim_of(trial.shared)
    original = Original.of(trial, 60)
    call = random.choice(CALLS)
    number = random.choice(UNSUPPORTED if call in ("fsync", "flock") else DISK)
    times = random.choice([1, 1, 2, 3, 10, FOREVER])
    if number == errno.EINTR:
        times = min(times, 10)  # calls that are interrupted are repeated, so they must succeed once
    faults = {
        "FAULT_FOLDER": str(out),
        "FAULT_CALL": call,
        "FAULT_FIRST": str(int(1.1 ** random.randrange(55))),
        "FAULT_TIMES": str(times),
        "FAULT_ERRNO": str(number),
        "FAULT_HALF": "1" if random.random() < 0.5 else None,
        "LD_PRELOAD": str(shim),
        "TMPDIR": str(trial.folder),
    }
    what = " ".join(f"{key}={value}" for key, value in faults.items() if value)
    if random.random() < 0.3:  # the fault waits for the run to be resumed
        before = end(original.begin(out, env=environment(**_early(faults, shim))))
        sane(before, 0, 1, 2, 3)
    found = end(original.begin(out, env=environment(**faults)))
    try:
        said = found.err.decode()
        if not (found.code == 2 and any(why in said for why in ("all of its", "patience is"))):
            sane(found, 0, 1, 2, 3)
        require_whole_files(out)
        original.complete(found, out)
        original.compare(out, log=not all(words in said for words in LOST_LINES))
    except Exception as failure:
        told = str(failure).partition(": ")
        name = errno.errorcode[number]
        raise AssertionError(
            f"{told[0]} after {call} {name}: {told[2]}\n{what}\nfirst run: {found}"
        ) from failure
    trial.counts[f"{call} {errno.errorcode[number]}"] += 1


def _early(faults: dict[str, str | None], shim: Path) -> dict[str, str | None]:
    """Faults that end a run early, after its first checkpoints: a disk that stays full."""
    return faults | {
        "FAULT_CALL": "rename",
        "FAULT_FIRST": "9",
        "FAULT_TIMES": str(FOREVER),
        "FAULT_ERRNO": str(errno.ENOSPC),
    }
