"""The folder of a run: config.yaml, metrics.jsonl and checkpoints."""

import re
from itertools import count
from pathlib import Path
from shlex import quote

from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.files import write_atomically

SUFFIX = ".safetensors"


class RunDirectory:
    """Where a run keeps its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"

    @classmethod
    def create(cls, out: str | None, name: str) -> "RunDirectory":
        """A new directory at `out`, or without it the first free of runs/NAME-1, -2, …

        Raises: UsageError where it holds a run already or cannot be made.
        """
        if out == "":
            raise UsageError("--out is empty.", "name a directory, or leave the option out.")
        if out is None:
            out = str(next(p for n in count(1) if not (p := Path("runs", f"{name}-{n}")).exists()))
        directory = cls(Path(out))
        try:
            if directory._in_use():
                raise UsageError(
                    f"{out} already holds a run.",
                    f"go on with it: charrnn train --resume {quote(out)}; or choose another --out.",
                )
            if directory.path.exists() and directory._foreign():
                raise UsageError(f"{out} is not empty.", "choose another --out.")
            directory.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{out} cannot be made into a run directory: {error.strerror}.",
                "choose another --out.",
            ) from None
        return directory

    def _in_use(self) -> bool:
        return any(self.checkpoints.glob("*" + SUFFIX))

    def _foreign(self) -> bool:
        """Whether there is more than what a run leaves that was stopped before its first save."""
        own = {self.checkpoints}
        if self.metrics.is_file() and not self.metrics.stat().st_size:
            own.add(self.metrics)
        return any(path not in own for path in self.path.iterdir())

    @classmethod
    def existing(cls, path: str) -> "RunDirectory":
        """The directory of a run that was there before.

        Raises: UsageError where there is none.
        """
        directory = cls(Path(path))
        what = "is no directory"
        try:
            if directory.checkpoint("last").is_file():
                return directory
            if Path(path).is_dir():
                what = "holds no checkpoint to go on from"
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
        raise UsageError(
            f"--resume {path}: it {what}.", "give the directory that charrnn train made."
        )

    def checkpoint(self, name: str) -> Path:
        """The file of the checkpoint last, best or step-N."""
        return self.checkpoints / (name + SUFFIX)

    def save(self, names: list[str], content: bytes, keep: int) -> None:
        """Writes one checkpoint under several names; of all step-N the newest `keep` stay."""
        paths = [self.checkpoint(name) for name in names]
        try:
            for path in paths:
                write_atomically(path, content)
            steps = {
                int(found[1]): path
                for path in self.checkpoints.iterdir()
                if (found := re.fullmatch(rf"step-(\d+){re.escape(SUFFIX)}", path.name))
            }
            for step in sorted(steps)[: max(len(steps) - keep, 0)]:
                steps[step].unlink()
        except OSError as error:
            raise CharrnnError(
                f"{paths[0]} cannot be written: {error.strerror}.",
                "make room or mend the directory, then: "
                f"charrnn train --resume {quote(str(self.path))}",
            ) from None


def find_checkpoint(path: str) -> Path:
    """The file itself, or the best checkpoint of a run directory.

    Raises: InputError where a directory holds none.
    """
    given = Path(path)
    try:
        if not given.is_dir():
            return given
        for name in ("best", "last"):
            found = RunDirectory(given).checkpoint(name)
            if found.exists():
                return found
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    raise InputError(
        f"{path} is a directory without checkpoints/best{SUFFIX}.", "give the directory of a run."
    )
