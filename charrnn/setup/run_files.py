"""The files of a run: config.yaml, metrics.jsonl and checkpoints."""

import re
from pathlib import Path

SUFFIX = ".safetensors"
JOURNAL = "study.journal"  # of a sweep, in the folder of its runs


class RunFiles:
    """Where the files of a run are, whether they exist or not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.metrics = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"

    def checkpoint(self, name: str) -> Path:
        """The file of the checkpoint last, best or step-N."""
        return self.checkpoints / (name + SUFFIX)

    def candidates(self) -> list[Path]:
        """The checkpoints that a run can resume from; those that lose the least come first."""
        steps = self.steps()
        paths = [self.checkpoint("last"), *(steps[step] for step in sorted(steps, reverse=True))]
        return [path for path in (*paths, self.checkpoint("best")) if path.is_file()]

    def steps(self) -> dict[int, Path]:
        """The step-N checkpoints, by their N."""
        return {
            int(found[1]): path
            for path in self.checkpoints.glob("*")
            if (found := re.fullmatch(rf"step-(0|[1-9][0-9]*){re.escape(SUFFIX)}", path.name))
            and path.is_file()
            and not path.is_symlink()
        }
