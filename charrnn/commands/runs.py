"""Lists the runs of a folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from charrnn.errors import InputError, UsageError
from charrnn.results import RunList, RunSummary
from charrnn.setup.run_folders import counting_order, find_runs, folders_with_runs, is_run
from charrnn.setup.run_summary import summarize
from charrnn.wording import call, nearest, pluralize

DEFAULT_FOLDER = "runs"
SORT_KEYS: dict[str, Callable[[RunSummary], Any]] = {
    "name": lambda run: counting_order(run.name),
    "text": lambda run: run.texts,
    "network": lambda run: run.hidden_size and (run.layers, run.hidden_size, run.activation),
    "seed": lambda run: run.seed,
    "steps": lambda run: run.step,
    "nats": lambda run: run.validation_nats_per_character,
    "bits": lambda run: run.validation_bits_per_character,
    "difference": lambda run: run.difference_nats_per_character,
    "time": lambda run: run.seconds,
    "state": lambda run: run.state,
}


def list_runs(directory: str = DEFAULT_FOLDER) -> RunList:
    """Lists the runs in a folder and in its folders; or the run, if it is the directory of one.

    Little of each run is read, and nothing is written or locked.

    Args:
        directory: The folder.

    Raises:
        InputError: There are no runs.
    """
    path = Path(directory)
    skipped = 0
    try:
        if not directory:  # which Path reads as the working directory
            raise InputError("'' is not a folder.", 'give the path of one, such as `"."`')
        if not path.is_dir():
            what = "is not a folder" if path.exists() else "does not exist"
            raise InputError(f"{directory} {what}.", _elsewhere(directory))
        paths = [path] if is_run(path) else []
        if not paths:
            paths, skipped = find_runs(path)
    except OSError as error:
        raise InputError(
            f"{error.filename or directory} cannot be read: {error.strerror}."
        ) from None
    except ValueError as error:
        raise InputError(f"{directory!r} is not a valid path: {error}.") from None
    notes: tuple[str, ...] = ()
    if skipped:
        notes = (f"{pluralize(skipped, 'folder')} of {directory} could not be read.",)
    if not paths:
        more = f" {notes[0]}" if notes else ""
        raise InputError(f"there are no runs in {directory}.{more}", _elsewhere(directory))
    runs = tuple(summarize(run, _name_in(path, run))[0] for run in paths)
    return RunList(directory, runs, notes)


def is_single_run(directory: str) -> bool:
    """Whether a path is the directory of one run, rather than a folder of them."""
    try:
        return is_run(Path(directory))
    except (OSError, ValueError):
        return False


def sorted_runs(found: RunList, column: str, reverse: bool = False) -> RunList:
    """The same runs sorted by a column; those without a value come last.

    Args:
        found: The runs.
        column: One of SORT_KEYS.
        reverse: Whether the largest value comes first.

    Raises:
        UsageError: There is no such column.
    """
    if column not in SORT_KEYS:
        guess = nearest(column, SORT_KEYS)
        raise UsageError(
            f"`sort={column}` is not a column of the table.",
            f"did you mean `sort={guess}`?" if guess else f"one of {', '.join(SORT_KEYS)}.",
        )
    keys = {run.path: SORT_KEYS[column](run) for run in found.runs}
    known = [run for run in found.runs if keys[run.path] is not None]
    known.sort(key=lambda run: keys[run.path], reverse=reverse)
    unknown = [run for run in found.runs if keys[run.path] is None]
    return replace(found, runs=(*known, *unknown))


def _name_in(folder: Path, run: Path) -> str:
    """The path of a run in a folder; the name of the folder if it is the run."""
    return str(run.relative_to(folder)) if run != folder else folder.name or folder.resolve().name


def _elsewhere(directory: str) -> str:
    """Where there are runs, or how to make one."""
    others = [folder for folder in folders_with_runs() if Path(folder) != Path(directory)]
    if others:
        guess = nearest(directory, others) or others[0]
        return f"there are runs in {guess}: {call('runs', guess)}"
    return f"train one: {call('train')}"
