"""Describes texts, checkpoints and folders of runs."""

from os import fspath
from typing import Unpack

from charrnn.commands.inspect import inspect as inspect_any
from charrnn.commands.runs import DEFAULT_FOLDER, list_runs, sorted_runs
from charrnn.commands.texts import list_texts
from charrnn.config.argument_types import checked
from charrnn.errors import UsageError
from charrnn.library.keywords import (
    Config,
    Keywords,
    Path,
    Settings,
    as_assignments,
    as_config,
    as_keywords,
)
from charrnn.library.notes import note_all
from charrnn.library.texts import Text, text_or_paths
from charrnn.results import ModelReport, RunList, TextList, TextReport


@checked
def inspect(
    path: Text | None = None,
    config: Config | None = None,
    *,
    settings: Settings | None = None,
    **keywords: Unpack[Keywords],
) -> TextReport | ModelReport:
    """Describes a text, with the time and memory that training on it takes, or a checkpoint.

    Args:
        path: A text as of `train`; or a checkpoint, a run directory or a built-in config.
        config: A YAML file, the name of a built-in config, or a mapping of its sections. Without
            one, the settings that are not given are chosen for the text and `max_time`.
        settings: Changes of the config, by dotted keys.
        keywords: Settings by their short names; see `Keywords`.

    Raises:
        UsageError: An argument is invalid, or there are several checkpoints.
        InputError: A text or a checkpoint is unusable.
    """
    found, notes = inspect_any(
        text_or_paths(path),
        as_config(config),
        as_assignments(settings),
        as_keywords(keywords, inspect),
    )
    note_all(notes)
    if not isinstance(found, tuple):
        return found
    if len(found) > 1:
        raise UsageError("`path` is a list of several checkpoints.", "inspect one at a time.")
    return found[0]


@checked
def runs(directory: Path = DEFAULT_FOLDER, *, sort: str = "name", reverse: bool = False) -> RunList:
    """Lists runs: how far they came, and how well they predict.

    Args:
        directory: A folder of runs, also in its folders; or the directory of one run.
        sort: "name", "text", "network", "seed", "steps", "nats", "bits", "difference", "time" or
            "state".
        reverse: Whether the largest come first.

    Raises:
        InputError: There are no runs.
        UsageError: They cannot be sorted so.
    """
    found = sorted_runs(list_runs(fspath(directory)), sort, reverse)
    note_all(found.notes)
    return found


def texts() -> TextList:
    """Lists the texts that have names, which `train` takes; nothing is downloaded.

    Raises:
        UsageError: The user's own list cannot be used.
    """
    return list_texts()
