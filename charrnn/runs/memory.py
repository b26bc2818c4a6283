"""What stands for the directory of a run that is kept in memory."""

from pathlib import Path

from charrnn.config.settings import Config
from charrnn.setup.loading import load_checkpoint
from charrnn.training.checkpoint import Checkpoint


class InMemory:
    """Keeps the checkpoints `last` and `best` of a run, in their format; writes no file.

    Attributes:
        name: What messages call it.
        config, metrics: None, as there are no such files.
        notes: None.
    """

    name = "in memory"
    config = None
    metrics = None
    notes: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def copy(self) -> "InMemory":
        """The same checkpoints, in a place of their own."""
        other = InMemory()
        other._contents.update(self._contents)
        return other

    def names(self) -> list[str]:
        """The checkpoints that there are."""
        return [*self._contents]

    def content(self, name: str) -> bytes:
        """The checkpoint of that name, as a file would have it."""
        return self._contents[name]

    def locate(self, name: str) -> str:
        """What messages call the checkpoint of that name."""
        return f"the {name} checkpoint in memory"

    def load(self, name: str) -> tuple[Checkpoint, Config]:
        """Loads the checkpoint of that name."""
        return load_checkpoint(Path(name), self._contents[name])

    def write(self, name: str, content: bytes) -> None:
        """Keeps a checkpoint, unless it is that of a step, which a file is for."""
        if not name.startswith("step-"):
            self._contents[name] = content

    def retain(self, keep: int) -> None:
        """Does nothing: there are no checkpoints of steps."""

    def discard_after(self, step: int) -> None:
        """Does nothing, likewise."""

    def release(self) -> None:
        """Does nothing: no other process can reach it."""
