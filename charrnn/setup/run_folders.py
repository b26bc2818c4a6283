"""Finds the runs in a folder."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from charrnn.errors import InputError
from charrnn.setup.run_files import RunFiles
from charrnn.system.lock import is_lock
from charrnn.training.checkpoint_head import read_head

MAX_ENTRIES = 10_000  # folders that are looked at
MAX_NEARBY = 1000  # of them, in search of a folder to suggest


def is_run(path: Path) -> bool:
    """Whether a directory is that of a run, even if it is damaged or has not saved yet.

    Raises:
        OSError: It cannot be looked at.
    """
    files = RunFiles(path)
    if files.candidates():
        return True
    if not files.checkpoints.is_dir():
        return os.path.lexists(files.metrics) and files.config.exists()
    return os.path.lexists(files.metrics) or is_lock(path / ".lock")


def find_runs(path: Path, limit: int = MAX_ENTRIES) -> tuple[list[Path], int]:
    """The runs in a folder and in its folders, in the order in which people count.

    A folder that several links lead to is looked at once.

    Args:
        path: The folder.
        limit: How many folders are looked at.

    Returns:
        The run directories, and the number of folders that could not be read.

    Raises:
        OSError: The folder cannot be read.
    """
    runs, skipped = [], 0
    seen = {os.path.realpath(path)}
    waiting = [(folder, 1) for folder in _folders(path)]
    for looked_at, (folder, depth) in enumerate(waiting):  # which grows
        try:
            if looked_at >= limit:
                raise OSError
            if (real := os.path.realpath(folder)) in seen:
                continue
            seen.add(real)
            if is_run(folder):
                runs.append(folder)
            elif depth == 1:
                waiting += ((inner, 2) for inner in _folders(folder))
        except OSError:
            skipped += 1
    return sorted(runs, key=lambda run: counting_order(str(run))), skipped


def best_run(runs: Iterable[Path]) -> Path | None:
    """The run with the lowest loss on its held-out text; None if no loss is known."""
    losses: dict[Path, float] = {}
    for run in runs:
        for file in RunFiles(run).candidates()[:1]:
            with suppress(InputError):
                nats = read_head(file).progress.best_validation_nats
                losses |= {} if nats is None else {run: nats}
    return min(losses, key=losses.__getitem__, default=None)


def folders_with_runs() -> Iterator[str]:
    """Folders in the working directory that have runs, with `runs` first; not many are tried."""
    try:
        folders = _folders(Path())
    except OSError:
        return
    for folder in sorted(folders, key=lambda folder: (folder.name != "runs", folder.name)):
        try:
            found, _ = find_runs(folder, MAX_NEARBY)
        except OSError:
            continue
        if found:
            yield str(folder)


def counting_order(name: str) -> list[tuple[int, int | str]]:
    """A key by which names sort with their numbers as numbers: run-2 before run-10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdecimal() and len(part) < 100 else (1, part) for part in parts]


def _folders(path: Path) -> list[Path]:
    """The folders in a folder, but for hidden ones; links come last."""
    with os.scandir(path) as entries:
        found = [one for one in entries if one.name[:1] != "." and _is_dir(one)]
    found.sort(key=lambda one: (one.is_symlink(), one.name))
    return [Path(path, one.name) for one in found]


def _is_dir(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
