"""Searches for settings: trains many runs of one config, of which some settings vary."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path
from signal import Signals
from typing import Any

from charrnn.commands.arguments import check_arguments, require_between
from charrnn.commands.train import trackers
from charrnn.config.dotted import Layer
from charrnn.config.layers import assigned_keys
from charrnn.config.settings import Config
from charrnn.errors import Interrupted, UsageError
from charrnn.events import Sink
from charrnn.keywords import as_layer
from charrnn.runs.start import Run
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
from charrnn.sweeps.study import Plan, Study, folder_of, open_study
from charrnn.sweeps.worker import work
from charrnn.system.signals import SIGNALS
from charrnn.text.sources import STDIN, String
from charrnn.text.text import TextMark
from charrnn.wording import pluralize

TRIALS = 20
STOPPING = "stopping after this step; press Ctrl-C again to quit without saving"


@dataclass(frozen=True)
class Search:
    """What is searched for, and how.

    Attributes:
        space: The file of the space, or the space as plain values.
        trials: The number of trials; None for 20, or all points of a grid.
        seeds: The number of seeds that the best is trained with.
        study: Its name; None for one from the text and the space.
        storage: A file or the URL of a database; None for a journal beside the runs.
        sampler: What chooses the values of a trial.
        pruner: What stops a trial early.
        jobs: The number of processes.
    """

    space: str | Layer
    trials: int | None = None
    seeds: int = 1
    study: str | None = None
    storage: str | None = None
    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    jobs: int = 1


@dataclass(frozen=True)
class OpenSweep:
    """A sweep to work on.

    Attributes:
        assignment: What its workers do.
        study: Its study.
    """

    assignment: Assignment
    study: Study


def open_sweep(
    text: list[str] | String,
    config: str | Layer | None,
    assignments: list[str],
    keywords: dict[str, Any],
    search: Search,
    sinks: Sinks,
    emit: Emit,
    prepare: Callable[[], None] = do_nothing,
) -> OpenSweep:
    """Opens the study of a sweep, or creates it, when all has been found to be valid.

    Args:
        text: Files and directories, none for the text of the config; or the text itself.
        config: A YAML file, the name of a built-in config, or plain values; None for the default
            one.
        assignments: Changes of the config, as `key.path=value`.
        keywords: Changes of the config by their short names; see `replacing_limits`.
        search: What to search for, and how.
        sinks: Makes the sinks of a run.
        emit: Receives notes.
        prepare: Called first in a process that `jobs` starts.

    Raises:
        UsageError: The config or the space is at fault, or the study has another plan.
        InputError: The text is unusable.
        CharrnnError: The study cannot be stored.
    """
    require_between(1, inf, trials=search.trials, seeds=search.seeds, jobs=search.jobs)
    string = text if isinstance(text, String) else None
    paths = [STDIN] if isinstance(text, String) else text
    flags = as_layer(keywords | ({"text": paths} if paths else {}))
    check_arguments(config, assignments, paths)
    base, _ = configure(config, assignments, flags)
    if STDIN in base.data.text and string is None:
        raise UsageError("every trial reads the text, and `-` can be read once.", "name a file.")
    space = read_space(search.space, base, assigned_keys(assignments, flags))
    name = search.study
    if name is None:
        of_space = Path(search.space).stem if isinstance(search.space, str) else "space"
        name = f"{'text' if string else run_name(base)}-{of_space}".replace(" ", "-")
    folder = folder_of(name)
    trials = search.trials or (len(grid_of(space)) if search.sampler == "grid" else TRIALS)
    if (size := size_of(space)) and size < trials:
        what = pluralize(size, "combination")
        emit(SweepNoted(f"the space has {what} of values, after which the sweep ends"))
        trials = size
    marks = _text_marks(base, string, emit)
    plan = Plan(base, space, marks, trials, search.seeds, search.sampler, search.pruner)
    study = open_study(name, search.storage, plan)
    if not study.trials() and folder.is_dir() and find_runs(folder)[0]:
        study.storage.close()
        raise UsageError(
            f"{folder} has runs already, and the study in {study.storage.name} has none.",
            "remove the folder, or choose another name: `study=NAME`",
        )
    assignment = Assignment(name, search.storage, folder, plan, sinks, search.jobs, prepare, string)
    return OpenSweep(assignment, study)


def work_on(sweep: OpenSweep, emit: Emit, signals: Sequence[Signals] = SIGNALS) -> None:
    """Works on a sweep until all of its trials are over, and closes its study.

    Args:
        sweep: The sweep.
        emit: Receives the events of the sweep.
        signals: Those that stop it after the current steps.

    Raises:
        Interrupted: It was stopped by a signal, after saving.
        CharrnnError: A run or the study cannot be saved.
    """
    assignment, study = sweep.assignment, sweep.study
    with (
        closing(study.storage),
        stop_requests(lambda: emit(SweepNoted(STOPPING)), signals) as stopped,
    ):
        if assignment.jobs > 1:
            work_together(assignment, stopped, emit)
        else:
            work(assignment, study, stopped, emit)
        if stopped() and not is_done(study.trials(), assignment.plan):
            raise Interrupted("everything is saved.", "the same command continues the sweep.")


def trial_sinks(make_log: Callable[[Path | None, int, int], Sink], run: Run) -> list[Sink]:
    """The sinks of the run of a trial: its log and its trackers.

    Args:
        make_log: Makes a log from its file, the step that it begins after, and the steps per line.
        run: The run.
    """
    every = run.config.logging.every_steps
    return [make_log(run.directory.metrics, run.state.progress.step, every), *trackers(run)]


def _text_marks(base: Config, string: String | None, emit: Emit) -> dict[str, TextMark]:
    """What identifies the texts of a sweep, which are read to find faults before any trial."""
    text = prepare(resolve(base), None, string=string)
    if not len(text.corpus.validation):
        raise UsageError(
            "a sweep compares losses on a held-out text, and nothing is held out.",
            "`data.validation_fraction=0.1`",
        )
    for note in text.notes:
        emit(SweepNoted(note))
    whole = TextMark(text.corpus.size, text.corpus.digest)
    return {"text": whole} | {f"{name} text": mark for name, mark in text.held_out.items()}
