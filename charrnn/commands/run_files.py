"""Keeps what a command writes from replacing the files of a run, or what it reads."""

from collections.abc import Iterable
from pathlib import Path

from charrnn.errors import UsageError
from charrnn.setup.run_files import SUFFIX, RunFiles
from charrnn.setup.run_folders import is_run
from charrnn.system.files import is_same_file, require_writable

ANOTHER = "choose another file."


def require_output(label: str, path: str, sources: Iterable[str] = ()) -> None:
    """Refuses a file before its content is computed: of a run, a source, or not writable.

    Args:
        label: What messages call the file.
        path: The file.
        sources: Files that are read.

    Raises:
        UsageError: The file is refused.
    """
    if "\0" in path:
        raise UsageError("the path has a NUL character.", ANOTHER)
    try:
        if any(source != "-" and is_same_file(path, source) for source in sources):
            raise UsageError(f"{label} would overwrite what is read.", ANOTHER)
        if _is_run_file(Path(path)):
            raise UsageError(f"{label} is a file of a run.", ANOTHER)
        require_writable(Path(path))
    except OSError as error:
        raise UsageError(f"{label} cannot be written: {error.strerror}.", ANOTHER) from None


def _is_run_file(path: Path) -> bool:
    """Whether a file is the config, the log or a checkpoint of a run, or would be taken for one.

    Raises:
        OSError: It cannot be looked at.
    """
    file = path.parent.resolve() / path.name  # a link is replaced, not followed
    run = file.parent.parent if file.suffix == SUFFIX else file.parent
    files = RunFiles(run)
    own = file in (files.config, files.metrics) or file.parent == files.checkpoints
    return own and (file.exists() or file.suffix == SUFFIX) and is_run(run)
