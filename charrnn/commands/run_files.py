"""Keeps what a command writes from replacing what it reads, or the files of a run."""

from collections.abc import Iterable
from pathlib import Path

from charrnn.errors import UsageError
from charrnn.setup.run_files import SUFFIX, RunFiles
from charrnn.setup.run_folders import is_run
from charrnn.system.files import is_same_file, require_writable
from charrnn.wording import setting


def require_output(option: str, path: str, sources: Iterable[str] = ()) -> None:
    """Refuses a file before its content is computed: of a run, a source, or not writable.

    Raises:
        UsageError: The file is refused.
    """
    try:
        if any(source != "-" and is_same_file(path, source) for source in sources):
            raise UsageError(
                f"{setting(option, path)} would overwrite what is read.", "choose another file."
            )
        require_no_run_file(option, path)
        require_writable(Path(path))
    except OSError as error:
        raise UsageError(
            f"{setting(option, path)} cannot be written: {error.strerror}.", "choose another file."
        ) from None


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
