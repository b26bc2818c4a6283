"""One trial: its folder, its random numbers, and what it shares with other trials."""

import collections
import fcntl
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random


class Skipped(Exception):
    """The machine cannot do what a kind of trial needs; the message says why."""


@dataclass(frozen=True)
class Shared:
    """Folders that many trials use, each made once; several jobs may share them."""

    folder: Path
    seed: int

    def made(self, name: str, make: Callable[[Path, Random], object]) -> Path:
        """The folder of that name; the first that asks for it makes it.

        `make` gets the folder and random numbers which depend on the seed and the name only.
        """
        folder = self.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / f".{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.folder / f".{name}.done"
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder, Random(f"{name} {self.seed}"))
                done.touch()
        return folder


@dataclass
class Trial:
    """What a kind of trial works with; all of it follows from (kind, seed, number)."""

    folder: Path  # empty, and its own
    random: Random
    number: int
    shared: Shared
    counts: collections.Counter[str] = field(default_factory=collections.Counter)

    @classmethod
    def of(cls, kind: str, number: int, shared: Shared) -> "Trial":
        """The trial of that kind and number, with an empty folder."""
        folder = shared.folder / f"{kind.replace(' ', '-')}-{number}"
        folder.mkdir(parents=True)
        return cls(folder, Random(f"{kind} {shared.seed} {number}"), number, shared)
