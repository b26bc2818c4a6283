"""Searches for settings."""

from functools import partial
from os import fspath
from signal import SIGINT
from typing import Literal, Unpack

from charrnn.config.argument_types import checked
from charrnn.errors import Interrupted
from charrnn.library.keywords import (
    Config,
    Keywords,
    Path,
    Settings,
    as_assignments,
    as_config,
    as_keywords,
)
from charrnn.library.progress import SweepProgress, sweep_progress
from charrnn.library.sweep import Sweep
from charrnn.library.texts import Text, path_meant, text_or_paths
from charrnn.report.run_log import make_log


@checked
def sweep(
    text: Text | None = None,
    config: Config | None = None,
    *,
    space: Config,
    settings: Settings | None = None,
    trials: int | None = None,
    seeds: int = 1,
    study: str | None = None,
    storage: Path | None = None,
    sampler: Literal["random", "grid", "tpe"] = "tpe",
    pruner: Literal["none", "median", "hyperband"] = "none",
    jobs: int = 1,
    progress: SweepProgress = None,
    **keywords: Unpack[Keywords],
) -> Sweep:
    """Searches for settings: trains many runs, and compares their validation losses.

    The study and the runs are on disk, in sweeps/NAME. The same call continues a sweep, in several
    processes or on several machines too, and so does the command with the same arguments.

    The first Ctrl-C, or interrupt of a notebook, saves the runs that are being trained and returns
    the sweep as it is. The second one raises KeyboardInterrupt.

    Args:
        text: As of `train`.
        config: A YAML file, the name of a built-in config, or a mapping of its sections; the
            default config without one. Nothing is chosen for the text.
        space: The settings to vary and their values: a YAML file, or a mapping such as
            {"optimizer.learning_rate": {"log": [1e-3, 1e-2]}, "model.hidden_size": [64, 128]}.
        settings: Changes of the config, by dotted keys.
        trials: The number of trials in all; None for 20, or all points of a grid.
        seeds: The number of seeds that the best is trained with.
        study: The name of the study; None for one from the text and the space.
        storage: A file, or the URL of a database; None for sweeps/NAME/study.journal.
        sampler: How to choose what to try next.
        pruner: When to stop trials that look worse than others.
        jobs: The number of processes that share the cores. A script has to call this below
            `if __name__ == "__main__":`, since each of them imports it.
        progress: Whether to print a line when a trial starts and when it is over: by default in a
            notebook and in a terminal. Or a function, which is called with each event of
            `charrnn.sweep_events`.
        keywords: Settings by their short names; see `Keywords`.

    Returns:
        The sweep.

    Raises:
        UsageError: An argument, a setting or the space is invalid, the study has another plan, or
            Optuna is not installed.
        InputError: The text is unusable.
        CharrnnError: A run or the study cannot be saved.
    """
    from charrnn.commands.sweep import Search, open_sweep, trial_sinks, work_on
    from charrnn.commands.sweep_report import report_sweep

    place = None if storage is None else fspath(storage)
    searched = as_config(space)
    assert searched is not None
    search = Search(searched, trials, seeds, study, place, sampler, pruner, jobs)
    emit = sweep_progress(progress)
    with path_meant(text):
        opened = open_sweep(
            text_or_paths(text),
            as_config(config),
            as_assignments(settings),
            as_keywords(keywords, sweep),
            search,
            partial(trial_sinks, make_log),
            emit,
        )
    complete = True
    try:
        work_on(opened, emit, [SIGINT])
    except Interrupted:
        complete = False
    name = opened.assignment.study if place else str(opened.assignment.folder)
    return Sweep(report_sweep(name, place), complete)
