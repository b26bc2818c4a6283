"""Trains a model on text, in a new or a resumed run."""

import contextlib
from typing import Any

from charrnn.commands.arguments import check_arguments
from charrnn.config.dotted import Layer
from charrnn.config.layers import dump_config, keys_given
from charrnn.errors import InputError, UsageError
from charrnn.events import Sink
from charrnn.keywords import LIMITS, as_layer
from charrnn.results import Assessment, RunLog
from charrnn.runs import start
from charrnn.runs.assessment import assess
from charrnn.runs.memory import InMemory
from charrnn.runs.resume import resumed_in_memory, resumed_run
from charrnn.runs.start import Run
from charrnn.runs.train import train
from charrnn.setup.own_text import Announce
from charrnn.setup.parent import configure
from charrnn.setup.run_log import read_log
from charrnn.text.sources import STDIN, String
from charrnn.trackers.registry import make_trackers

__all__ = [
    "Run",
    "assessed",
    "logged",
    "new_run",
    "resumed_in_memory",
    "resumed_run",
    "set_up",
    "trackers",
    "train",
]


def set_up(
    text: list[str] | String,
    config: str | Layer | None,
    assignments: list[str],
    keywords: dict[str, Any],
    out: str | InMemory | None,
    resume: str | None = None,
    announce: Announce = lambda note: None,
) -> Run:
    """Sets up a new run, or one that is resumed.

    Args:
        text: Files and directories, none for the text of the config; or the text itself.
        config: A YAML file, the name of a built-in config, or plain values; None to choose what is
            not given for the text.
        assignments: Changes of the config, as `key.path=value`.
        keywords: Changes of the config by their short names; see `replacing_limits`.
        out: The run directory; None for the first free one of runs/NAME-1, -2, …
        resume: The directory of a run to resume; then only its text and LIMITS can be given.
        announce: Called with a note before a text is read that only a checkpoint names.

    Raises:
        UsageError: The config or a directory is at fault.
        InputError: A text or a checkpoint is unusable.
    """
    if resume is None:
        string = text if isinstance(text, String) else None
        paths = [STDIN] if isinstance(text, String) else text
        flags = as_layer(keywords | ({"text": paths} if paths else {}))
        return new_run(config, assignments, flags, out, string)
    limits = {key: keywords[key] for key in LIMITS if key in keywords}
    others = {key: value for key, value in keywords.items() if key not in LIMITS}
    fixed = {"config": config, "settings": assignments or None, "out": out} | others
    return _resumed(
        resume, text, [key for key in fixed if fixed[key] is not None], limits, announce
    )


def new_run(
    config_path: str | Layer | None,
    assignments: list[str],
    flags: Layer,
    out: str | InMemory | None,
    string: String | None = None,
) -> Run:
    """Sets up a new run.

    Args:
        config_path, assignments, out: As of `set_up`.
        flags: Changes of the config, as a layer.
        string: The text, in place of standard input.

    Raises:
        UsageError: The config or the directory is at fault.
        InputError: The text or the parent is unusable.
    """
    check_arguments(config_path, assignments, flags.get("data", {}).get("text", []))
    config, parent = configure(config_path, assignments, flags)
    given = keys_given(assignments, flags) if config_path is None else None
    return start.new_run(config, out, parent, string, given)


def _resumed(
    path: str,
    text: list[str] | String,
    fixed: list[str],
    limits: dict[str, Any],
    announce: Announce,
) -> Run:
    if not path:
        raise UsageError("`resume` is empty.", "give the directory of a run.")
    if fixed:
        raise UsageError(
            f"{', '.join(f'`{name}`' for name in fixed)} cannot change a run that is resumed.",
            "leave out these options, or start a new run; only `training.max_steps`, "
            "`training.epochs` and `training.max_time` can change.",
        )
    return resumed_run(path, text, limits, announce=announce)


def trackers(run: Run) -> list[Sink]:
    """The trackers that the run's config names.

    Raises:
        UsageError: There are some, and the run is kept in memory.
    """
    logging = run.config.logging
    if not logging.sinks:
        return []
    if isinstance(run.directory, InMemory):
        raise UsageError(
            f"`logging.sinks={logging.sinks[0]}` writes into the directory of a run, and this one "
            "is kept in memory.",
            "name a directory: `out`.",
        )
    return make_trackers(
        logging.sinks,
        run.directory.path,
        run.state.progress.step,
        logging.every_steps,
        dump_config(run.config),
    )


def logged(run: Run) -> RunLog | None:
    """What a run has logged so far; None before its first step, or if its log is unreadable."""
    if not run.state.progress.step or run.directory.metrics is None:
        return None
    with contextlib.suppress(InputError):
        return read_log(run.directory.metrics)
    return None


def assessed(run: Run) -> Assessment | None:
    """How a run went, and what to try next; None if its log has no evaluation."""
    log = logged(run)
    found = assess(run.config, log, run.directory.name) if log else None
    return found if found and found.figures else None
