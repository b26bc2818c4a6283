"""The directory of a run: creating, locking and writing it."""

import contextlib
import errno
from pathlib import Path

from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.run_files import RunFiles
from charrnn.system.files import leads_out_of, leftovers, sync_directory, write_atomically
from charrnn.system.lock import Held, Lock, is_lock
from charrnn.training.checkpoint import Checkpoint
from charrnn.wording import call, word


class RunDirectory(RunFiles):
    """The directory of a run; `create` and `existing` lock it for the process that writes.

    Attributes:
        name: What messages call it.
        notes: What its file system cannot do.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.name = str(path)
        self.notes: tuple[str, ...] = ()
        self._lock_path = path / ".lock"
        self._lock: Lock | None = None
        self._created: list[Path] = []  # what is removed again if nothing is saved

    @classmethod
    def create(cls, out: str | None, name: str) -> "RunDirectory":
        """Creates and locks a directory at `out`, by default the first free one of runs/NAME-N.

        Raises:
            UsageError: It holds a run already, is in use or cannot be created.
        """
        if out is not None and (not out or "\0" in out):
            what = "has a NUL character" if out else "is empty"
            raise UsageError(f"`out` {what}.", "name a directory, or leave the option out.")
        try:
            path = Path(out) if out is not None else None
            directory = cls(path or _new_folder(name))
            new = path is None or not path.exists()
            directory._occupy()
            directory._created = [directory.checkpoints, *([directory.path] if new else [])]
        except OSError as error:
            raise UsageError(
                f"{out or 'runs'} cannot be used as a run directory: {error.strerror}.",
                "choose another directory with `out`.",
            ) from None
        return directory

    def _occupy(self) -> None:
        try:
            if is_lock(self._lock_path):
                self._take()  # so that "in use" is reported before "not empty"
            self._require_free()  # before anything is written into a directory of the user's
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self._take()
            self._require_free()  # another process may have come first
        except (UsageError, OSError):
            self.release()
            raise

    def _require_free(self) -> None:
        """Raises UsageError if it has files that a run killed before its first save lacks."""
        there = [*self.path.iterdir()] if self.path.exists() else []
        if self.checkpoints.is_dir() and not self.checkpoints.is_symlink():
            there += self.checkpoints.iterdir()
        if self.candidates():
            raise UsageError(
                f"{self.path} already holds a run.",
                f"resume it: {call('train', resume=str(self.path))}; "
                "or choose another directory with `out`.",
            )
        own = {*leftovers(self.path), *leftovers(self.checkpoints)}
        if self.metrics.is_file() and not self.metrics.stat().st_size:
            own.add(self.metrics)
        if is_lock(self._lock_path):
            own.add(self._lock_path)
        if not self.checkpoints.is_symlink():
            own.add(self.checkpoints)
        if others := [path for path in there if path not in own]:
            what = min(others).relative_to(self.path)
            raise UsageError(
                f"{self.path} is not empty: it has {str(what)!r}.",
                "choose another directory with `out`.",
            )

    def _take(self) -> None:
        """Locks the directory, once, and removes the unfinished files of a killed process."""
        if self._lock:
            return
        self._require_no_links()
        try:
            self._lock = Lock(self._lock_path)
        except Held as holder:
            raise UsageError(
                f"{self.path} is in use: {holder} is training in it.",
                "wait for it or stop it, or choose another directory.",
            ) from None
        if not self._lock.works:
            self.notes += (
                f"{self.path}: its file system has no locks; run only one training in it.",
            )
        if not sync_directory(self.path):
            self.notes += (
                f"{self.path}: its file system cannot sync directories; a power cut may lose the "
                "newest checkpoint.",
            )
        for path in (*leftovers(self.path), *leftovers(self.checkpoints)):
            path.unlink(missing_ok=True)

    def _require_no_links(self) -> None:
        """Raises OSError if checkpoints would be written somewhere else."""
        if leads_out_of(self.path, self.checkpoints):
            raise OSError(
                errno.ELOOP, "its checkpoints are a link to another place", str(self.path)
            )

    @property
    def locked(self) -> bool:
        """Whether this process holds the lock."""
        return self._lock is not None

    def release(self) -> None:
        """Unlocks the directory; a new one in which nothing was saved is removed."""
        if self._lock:
            if self._created and not self.candidates():
                self._remove()
            self._lock.release()
        self._lock = None

    def _remove(self) -> None:
        """Removes what was created, while it is locked: Windows then keeps the lock's file."""
        with contextlib.suppress(OSError):
            if self.metrics.exists() and not self.metrics.stat().st_size:
                self.metrics.unlink()
            for folder in self._created:
                if folder == self.path:
                    self._lock_path.unlink()
                folder.rmdir()

    @classmethod
    def existing(cls, path: str) -> "RunDirectory":
        """Locks the directory of an existing run.

        Raises:
            UsageError: There is none, or it is in use.
        """
        directory = cls(Path(path))
        what = "is not a directory"
        try:
            if directory.candidates():
                directory._take()
                return directory
            if Path(path).is_dir():
                what = "has no checkpoint"
        except OSError as error:
            directory.release()
            hint = None
            if error.errno == errno.EEXIST:
                hint = f"if nothing trains there, remove {word(str(directory._lock_path))}"
            elif error.errno == errno.ELOOP:
                hint = "move them into the run, in place of the link."
            raise UsageError(f"{path} cannot be resumed: {error.strerror}.", hint) from None
        raise UsageError(f"{path} cannot be resumed: it {what}.", "give the directory of a run.")

    def names(self) -> list[str]:
        """The checkpoints that there are; those that lose the least come first."""
        return [path.stem for path in self.candidates()]

    def locate(self, name: str) -> str:
        """Where the checkpoint of that name is."""
        return str(self.checkpoint(name))

    def load(self, name: str) -> tuple[Checkpoint, Config]:
        """Loads the checkpoint of that name. Raises: InputError."""
        return load_checkpoint(self.checkpoint(name))

    def write(self, name: str, content: bytes) -> None:
        """Writes the checkpoint of that name.

        Raises:
            OSError: It cannot be written, or the directory was removed or replaced.
        """
        self.require_in_place()
        write_atomically(self.checkpoint(name), content)

    def require_in_place(self) -> None:
        """Raises OSError if the directory was removed or replaced."""
        if self._lock and not self._lock.in_place:
            raise OSError(errno.ENOENT, "it was removed or replaced", str(self.path))
        self._require_no_links()

    def retain(self, keep: int) -> None:
        """Deletes all step-N checkpoints but the newest `keep`. Raises: OSError."""
        steps = self.steps()
        for step in sorted(steps)[: max(len(steps) - keep, 0)]:
            steps[step].unlink()

    def discard_after(self, step: int) -> None:
        """Deletes the step-N checkpoints of later steps. Raises: OSError."""
        self.require_in_place()
        for number, path in self.steps().items():
            if number > step:
                path.unlink()


def _new_folder(name: str) -> Path:
    """Creates the first of runs/NAME-1, -2, … that did not exist."""
    Path("runs").mkdir(exist_ok=True)
    number = 1
    while True:
        path = Path("runs", f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
        number += 1
