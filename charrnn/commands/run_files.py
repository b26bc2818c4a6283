"""Keeps what a command writes from replacing the files of a run."""

from pathlib import Path

from charrnn.errors import UsageError
from charrnn.setup.run_files import SUFFIX, RunFiles
from charrnn.setup.run_folders import is_run
from charrnn.wording import setting


def require_no_run_file(option: str, path: str) -> None:
    """Refuses a file to write that is the config, the log or a checkpoint of a run.

    Raises:
        OSError: It cannot be looked at.
        UsageError: It is one.
    """
    file = Path(path).parent.resolve() / Path(path).name  # a link is replaced, not followed
    run = file.parent.parent if file.suffix == SUFFIX else file.parent
    files = RunFiles(run)
    own = file in (files.config, files.metrics) or file.parent == files.checkpoints
    if own and file.exists() and is_run(run):
        raise UsageError(f"{setting(option, path)} is a file of a run.", "choose another file.")
