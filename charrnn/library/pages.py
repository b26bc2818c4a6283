"""Writes pages about runs."""

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path as FilePath

from charrnn.commands.player import playable_model
from charrnn.commands.report import report_runs, require_single_model
from charrnn.commands.run_files import require_output
from charrnn.config.argument_types import checked
from charrnn.errors import UsageError
from charrnn.library.keywords import Path, Unknown
from charrnn.library.model import Model
from charrnn.library.notes import note, note_all
from charrnn.library.run import Run, path_or_loaded
from charrnn.report.page import report_page
from charrnn.report.player import player_page
from charrnn.system.files import write_atomically
from charrnn.units import in_bytes
from charrnn.wording import setting

Subject = Run | Path


@checked
def report(
    runs: Subject | Sequence[Subject] | Model,
    out: Path | None = None,
    *,
    text: Path | None = None,
    unknown: Unknown | None = None,
    no_model: bool = False,
    play_only: bool = False,
    max_size: float | str | None = None,
) -> FilePath:
    """Writes a page about a run, or compares several, as one HTML file to share.

    Args:
        runs: A run or several, by their directories; with `play_only` also a model.
        out: The page; "report.html" by default, or "model.html" with `play_only`.
        text: A file to show the model on; by default what its run held out.
        unknown: What to do with characters of it that the model does not know.
        no_model: Whether to leave out the model, which can write in the page.
        play_only: Whether to write a page with the model alone.
        max_size: The bytes of the page that the model may take, or a size such as "50MB"; 20 MB
            by default.

    Returns:
        The path of the page.

    Raises:
        UsageError: An argument is invalid, the page cannot be written, or a run is kept in memory.
        InputError: A path is not a run, or a text is unusable.
    """
    listed: list[Run | Model | Path]
    listed = [runs] if isinstance(runs, Run | Model | str | PathLike) else [*runs]
    if not listed:
        raise UsageError("`runs` is an empty list.", "give the directory of a run.")
    source = None if text is None else fspath(text)
    path = ("model.html" if play_only else "report.html") if out is None else fspath(out)
    size = in_bytes(max_size, "max_size")
    if play_only:
        require_single_model(listed, source, no_model)
    require_output(setting("out", path), path, [source] if source else [])
    if play_only:
        page = player_page(playable_model(path_or_loaded(listed[0]), size))
    else:
        paths = [_directory(one) for one in listed]
        found, notes = report_runs(paths, source, unknown, not no_model, size, note)
        note_all(notes)
        page = report_page(found)
    write_atomically(FilePath(path), page.encode())
    return FilePath(path)


def _directory(run: Run | Model | Path) -> str:
    if isinstance(run, str | PathLike):
        return fspath(run)
    if isinstance(run, Model) or run.path is None:
        raise UsageError(
            "a report is about the directory of a run.",
            'save the run first, such as `run.save("runs/mine")`; or write the model alone: '
            "`play_only`",
        )
    return str(run.path)
