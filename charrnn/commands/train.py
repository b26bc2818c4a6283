"""Trains a model on text, in a new or a resumed run."""

import contextlib

from charrnn.commands.arguments import check_arguments
from charrnn.config.layers import Layer, dump_config
from charrnn.errors import InputError
from charrnn.events import Sink
from charrnn.results import RunLog
from charrnn.runs import start
from charrnn.runs.resume import resumed_run
from charrnn.runs.start import Run
from charrnn.runs.train import train
from charrnn.setup.parent import configure
from charrnn.setup.run_log import read_log
from charrnn.trackers.registry import make_trackers

__all__ = ["Run", "logged", "new_run", "resumed_run", "trackers", "train"]


def new_run(config_path: str | None, assignments: list[str], flags: Layer, out: str | None) -> Run:
    """Sets up a new run.

    Args:
        config_path: A YAML file, or the name of a built-in config; None for the default one.
        assignments: Changes of the config, as `key.path=value`.
        flags: Changes of the config, as a layer.
        out: The run directory; None for the first free one of runs/NAME-1, -2, …

    Raises:
        UsageError: The config or the directory is at fault.
        InputError: The text or the parent is unusable.
    """
    check_arguments(config_path, assignments, flags.get("data", {}).get("text", []))
    config, parent = configure(config_path, assignments, flags)
    return start.new_run(config, out, parent)


def trackers(run: Run) -> list[Sink]:
    """The trackers that the run's config names."""
    logging = run.config.logging
    return make_trackers(
        logging.sinks,
        run.directory.path,
        run.state.progress.step,
        logging.every_steps,
        dump_config(run.config),
    )


def logged(run: Run) -> RunLog | None:
    """What a resumed run has logged so far; None for a new run, or if its log is unreadable."""
    if not run.state.progress.step:
        return None
    with contextlib.suppress(InputError):
        return read_log(run.directory.metrics)
    return None
