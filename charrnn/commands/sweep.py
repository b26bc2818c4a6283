"""Searches for settings: trains many runs of one config, of which some settings vary."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn.commands.arguments import check_arguments
from charrnn.config.layers import assigned_keys
from charrnn.config.settings import Config
from charrnn.errors import Interrupted, UsageError
from charrnn.keywords import as_layer
from charrnn.runs.stop import stop_requests
from charrnn.setup.parent import configure
from charrnn.setup.preparation import prepare
from charrnn.setup.run_folders import find_runs
from charrnn.setup.wiring import resolve, run_name
from charrnn.sweep_events import SweepNoted
from charrnn.sweeps.assignment import Assignment, Emit, Sinks, do_nothing
from charrnn.sweeps.claims import is_done
from charrnn.sweeps.jobs import work_together
from charrnn.sweeps.samplers import Pruner, Sampler, grid_of
from charrnn.sweeps.space import size_of
from charrnn.sweeps.space_file import read_space
from charrnn.sweeps.study import Plan, folder_of, open_study
from charrnn.sweeps.worker import work
from charrnn.text.sources import STDIN
from charrnn.text.text import TextMark
from charrnn.wording import pluralize

TRIALS = 20
STOPPING = "stopping after this step; press Ctrl-C again to quit without saving"


@dataclass(frozen=True)
class Search:
    """What is searched for, and how.

    Attributes:
        space: The file of the space.
        trials: The number of trials; None for 20, or all points of a grid.
        seeds: The number of seeds that the best is trained with.
        study: Its name; None for one from the text and the space.
        storage: A file or the URL of a database; None for a journal beside the runs.
        sampler: What chooses the values of a trial.
        pruner: What stops a trial early.
        jobs: The number of processes.
    """

    space: str
    trials: int | None = None
    seeds: int = 1
    study: str | None = None
    storage: str | None = None
    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    jobs: int = 1


def sweep(
    text: list[str],
    config: str | None,
    assignments: list[str],
    keywords: dict[str, Any],
    search: Search,
    sinks: Sinks,
    emit: Emit,
    prepare: Callable[[], None] = do_nothing,
) -> str:
    """Works on a study until all of its trials are over.

    Args:
        text: Files and directories, none for the text of the config.
        config: A YAML file or the name of a built-in config; None for the default one.
        assignments: Changes of the config, as `key.path=value`.
        keywords: Changes of the config by their short names; see `replacing_limits`.
        search: What to search for, and how.
        sinks: Makes the sinks of a run.
        emit: Receives the events of the sweep.
        prepare: Called first in a process that `jobs` starts.

    Returns:
        The name of the study.

    Raises:
        UsageError: The config or the space is at fault, or the study has another plan.
        InputError: The text is unusable.
        Interrupted: It was stopped by a signal, after saving.
        CharrnnError: A run or the study cannot be saved.
    """
    flags = as_layer(keywords | ({"text": text} if text else {}))
    check_arguments(config, assignments, text)
    base, _ = configure(config, assignments, flags)
    if STDIN in base.data.text:
        raise UsageError("every trial reads the text, and `-` can be read once.", "name a file.")
    space = read_space(search.space, base, assigned_keys(assignments, flags))
    name = search.study
    if name is None:
        name = f"{run_name(base)}-{Path(search.space).stem}".replace(" ", "-")
    folder = folder_of(name)
    trials = search.trials or (len(grid_of(space)) if search.sampler == "grid" else TRIALS)
    if (size := size_of(space)) and size < trials:
        what = pluralize(size, "combination")
        emit(SweepNoted(f"the space has {what} of values, so {pluralize(size, 'trial')} try all"))
        trials = size
    marks = _text_marks(base, emit)
    plan = Plan(base, space, marks, trials, search.seeds, search.sampler, search.pruner)
    study = open_study(name, search.storage, plan)
    if not study.trials() and folder.is_dir() and find_runs(folder)[0]:
        raise UsageError(
            f"{folder} has runs already, and the study in {study.storage.name} has none.",
            "remove the folder, or choose another name: `study=NAME`",
        )
    assignment = Assignment(name, search.storage, folder, plan, sinks, search.jobs, prepare)
    with closing(study.storage), stop_requests(lambda: emit(SweepNoted(STOPPING))) as stopped:
        if search.jobs > 1:
            work_together(assignment, stopped, emit)
        else:
            work(assignment, study, stopped, emit)
        if stopped() and not is_done(study.trials(), plan):
            raise Interrupted("everything is saved.", "the same command continues the sweep.")
    return name


def _text_marks(base: Config, emit: Emit) -> dict[str, TextMark]:
    """What identifies the texts of a sweep, which are read to find faults before any trial."""
    text = prepare(resolve(base), None)
    if not len(text.corpus.validation):
        raise UsageError(
            "a sweep compares losses on a held-out text, and nothing is held out.",
            "`data.validation_fraction=0.1`",
        )
    for note in text.notes:
        emit(SweepNoted(note))
    whole = TextMark(text.corpus.size, text.corpus.digest)
    return {"text": whole} | {f"{name} text": mark for name, mark in text.held_out.items()}
