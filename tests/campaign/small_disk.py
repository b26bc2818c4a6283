"""Runs on a file system that is too small for them."""

import shutil
import subprocess
from pathlib import Path

from tests.campaign.original import ENDED, Original, require_whole_files
from tests.campaign.process import end, sane
from tests.campaign.trial import Skipped, Trial


def fill_small_disk(trial: Trial) -> None:
    """Trains on a small disk of memory until it is full, then resumes on a larger one."""
    random, disk = trial.random, trial.folder / "disk"
    disk.mkdir()
    original = Original.of(trial, random.choice([60, 200]))
    size = random.choice([4, 8, 20, 40, 60, 80, 120, 200, 400])
    _mount(disk, f"size={size}k")
    try:
        out = disk / "run"
        found = sane(end(original.begin(out)), 0, 1, 2)
        said = found.err.decode()
        require_whole_files(out)
        _mount(disk, "remount,size=64m")
        if found.code:
            again = end(original.begin(out))
            if not (again.code == 2 and any(why in again.err.decode() for why in ENDED)):
                sane(again, 0)
        lost = "lacks its last" in said and "is the disk full" in said
        try:
            original.compare(out, log=not lost)
        except AssertionError as failure:
            raise AssertionError(f"{failure}, disk of {size} kB, first run: {found}") from None
    except AssertionError:
        shutil.copytree(disk / "run", trial.folder / "kept", dirs_exist_ok=True)
        raise
    finally:
        subprocess.run([_tool("umount"), "-l", str(disk)], check=False, capture_output=True)
    trial.counts["full disks of memory" if found.code else "small disks"] += 1


def _mount(disk: Path, options: str) -> None:
    command = [_tool("mount"), "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)
    if tried.returncode:
        raise Skipped(f"no mount: {tried.stderr.strip()}")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Skipped(f"no {name}")
    return found
