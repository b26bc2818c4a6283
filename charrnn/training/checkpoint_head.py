"""What a checkpoint says of its run, without its tensors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn.text.text import TextMark
from charrnn.training.checkpoint import as_unusable, checked_progress, described_by, reported
from charrnn.training.metadata import checked_count, checked_digest, checked_vocabulary
from charrnn.training.state import Progress
from charrnn.training.tensor_file import TensorFile, Unusable


@dataclass(frozen=True)
class CheckpointHead:
    """The metadata of a checkpoint, whose digest is not verified.

    Attributes:
        config: The resolved config as plain values, which anyone may have written.
        progress: Counts and measurements of the run.
        alphabet: The number of characters that the model knows.
        mark: What identifies the text that the run trains on.
    """

    config: dict[str, Any]
    progress: Progress
    alphabet: int
    mark: TextMark


def read_head(path: Path) -> CheckpointHead:
    """Reads the metadata of a checkpoint; its tensors may be damaged all the same.

    Raises:
        InputError: The file is missing, or is not a checkpoint.
    """
    with reported(path), TensorFile(path) as file:
        described = described_by(path, file.metadata)
        if file.is_cut_off:
            raise Unusable("it is cut off")
        with as_unusable():
            return CheckpointHead(
                config=described["config"],
                progress=checked_progress(described["progress"]),
                alphabet=len(checked_vocabulary(described["vocabulary"])),
                mark=TextMark(
                    checked_count("text_size", described["text_size"]),
                    checked_digest(described["text_digest"]),
                ),
            )
