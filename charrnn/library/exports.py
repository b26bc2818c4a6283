"""Writes a model to a file that other programs read."""

from os import fspath
from pathlib import Path as FilePath

from charrnn.commands.export import export_model
from charrnn.config.argument_types import checked
from charrnn.library.keywords import Path
from charrnn.library.model import Model
from charrnn.library.notes import note_all
from charrnn.library.run import Run, path_or_loaded
from charrnn.report.player import player_page


@checked
def export(model: Model | Run | Path, out: Path) -> FilePath:
    """Writes a model to a file that other programs read; see docs/export.md.

    Args:
        model: A model, a run, a checkpoint or a run directory; of a run, its best model.
        out: The file, whose suffix chooses the format: .onnx, .safetensors, .npz or .html.

    Returns:
        The path of the file.

    Raises:
        UsageError: The file cannot be written or has another suffix, the format lacks the
            activation, or its library is not installed.
        InputError: There is no checkpoint, it is unusable, or too large for the format.
    """
    report = export_model(path_or_loaded(model), fspath(out), player_page)
    note_all(report.notes)
    return FilePath(report.path)
