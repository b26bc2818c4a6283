"""Trains a model, in memory or in a run directory."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from os import fspath
from signal import SIGINT
from typing import Unpack

from charrnn.commands.train import logged, resumed_in_memory, set_up, trackers
from charrnn.commands.train import train as train_run
from charrnn.config.argument_types import checked
from charrnn.errors import Interrupted, UsageError
from charrnn.events import Event
from charrnn.keywords import LIMITS
from charrnn.library.keywords import (
    Config,
    Keywords,
    Path,
    Settings,
    as_assignments,
    as_config,
    as_keywords,
)
from charrnn.library.notes import note, note_all
from charrnn.library.progress import Progress, progress_sink
from charrnn.library.run import Run
from charrnn.library.texts import Text, path_meant, text_or_paths
from charrnn.report.memory_log import MemoryLog
from charrnn.report.run_log import make_log
from charrnn.runs.memory import InMemory
from charrnn.runs.start import Run as StartedRun
from charrnn.text.sources import String
from charrnn.training.trainer import Divergence


@checked
def train(
    text: Text | None = None,
    config: Config | None = None,
    *,
    settings: Settings | None = None,
    out: Path | None = None,
    resume: Run | Path | None = None,
    progress: Progress = None,
    **keywords: Unpack[Keywords],
) -> Run:
    """Trains a model on text.

    The first Ctrl-C, or interrupt of a notebook, ends training after the current step: what was
    trained is saved where there is a directory, and the run is returned. The second one raises
    KeyboardInterrupt. In another thread than the main one, neither reaches the training.

    Args:
        text: A string of one line is a file, a directory or the name of a text; one of
            several lines is the text itself. Or a Path, or a list of paths. None for the text of
            the config, by default the bundled corpus.
        config: A YAML file, the name of a built-in config, or a mapping of its sections. Without
            one, the settings that are not given are chosen for the text and `max_time`.
        settings: Changes of the config, by dotted keys: {"optimizer.learning_rate": 1e-3}.
        out: The run directory to write; None to train in memory, without writing any file.
        resume: A run, or the directory of one, to train further; only the text and `max_steps`,
            `epochs` and `max_time` can be given with it.
        progress: Whether to show progress: by default in a notebook and in a terminal. Or a
            function, which is called with each event of `charrnn.events`.
        keywords: Settings by their short names; see `Keywords`.

    Returns:
        The run.

    Raises:
        UsageError: An argument or a setting is invalid.
        InputError: A text or a checkpoint is unusable.
        Divergence: Training diverged; the `run` of the error is the run up to there.
        CharrnnError: The run cannot be saved.
    """
    given = as_keywords(keywords, train)
    source = text_or_paths(text)
    if isinstance(resume, Run) and text is None:
        source = resume._text or source
    past: Sequence[Event] = ()
    if isinstance(resume, Run) and resume.path is None:
        started, past = _resumed_in_memory(resume, given, text, config, settings, out)
    else:
        directory = _absolute(resume.path if isinstance(resume, Run) else resume)
        with path_meant(text):
            started = set_up(
                source,
                as_config(config),
                as_assignments(settings),
                given,
                InMemory() if out is None and directory is None else _absolute(out),
                directory,
                note,
            )
    string = source if isinstance(source, String) else None
    return _trained(started, string, progress, past)


def _absolute(path: Path | None) -> str | None:
    """A path that is valid in any working directory; None, or an empty one, as it is."""
    return os.path.abspath(path) if path else None if path is None else fspath(path)


def _trained(
    started: StartedRun, text: String | None, progress: Progress, past: Sequence[Event]
) -> Run:
    directory, step = started.directory, started.state.progress.step
    with ExitStack() as stack:
        stack.callback(directory.release)
        log = make_log(directory.metrics, step, started.config.logging.every_steps, past)
        stack.callback(log.close)
        shown = progress_sink(
            progress, lambda: log.log if isinstance(log, MemoryLog) else logged(started)
        )
        others = trackers(started)
        stack.pop_all()  # training closes them
    try:
        ended = train_run(started, [log, *others, shown], [SIGINT])
    except Interrupted:
        return Run(started, log, text)
    except Divergence as divergence:
        divergence.run = Run(started, log, text, diverged_at=divergence.step)
        raise
    finally:
        note_all(log.notes)
    return Run(started, log, text, ended)


def _resumed_in_memory(
    run: Run, keywords: dict[str, object], *others: object
) -> tuple[StartedRun, Sequence[Event]]:
    fixed = [name for name in keywords if name not in LIMITS]
    if fixed or any(other is not None for other in others):
        raise UsageError(
            "a run in memory can be resumed with more steps, epochs or time only.",
            "leave the other arguments out, or start a new run.",
        )
    assert isinstance(run._log, MemoryLog)
    return resumed_in_memory(run._started, keywords), run._log.events
