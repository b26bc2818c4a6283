"""Loads what runs logged, and groups runs that differ in their seed only."""

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from charrnn.errors import InputError
from charrnn.results import RunGroup, RunHistory
from charrnn.setup.paths import Kind, instead, kind_of
from charrnn.setup.run_files import RunFiles
from charrnn.setup.run_folders import find_runs, is_run
from charrnn.setup.run_log import notes_on, read_log
from charrnn.setup.run_summary import summarize
from charrnn.wording import call, pluralize, word

MACHINE = ("seed", "workers")  # settings of `training` by which runs of one group may differ


def is_sweep(path: str) -> bool:
    """Whether a path is the folder of a sweep, rather than of a run."""
    return kind_of(path) is Kind.SWEEP


def load_run(path: str) -> RunHistory:
    """Loads a run with all that it logged; its checkpoints may be damaged.

    Args:
        path: The run directory.

    Raises:
        InputError: It is not the directory of a run, or its log cannot be read or has no events.
    """
    run = Path(path)
    _require_run(path)
    name = run.name or run.resolve().name
    summary, config = summarize(run, name)
    metrics = RunFiles(run).metrics
    log = read_log(metrics)
    if not log.steps and not log.evaluations:
        notes = "".join(f" {note}" for note in notes_on(log, metrics))
        raise InputError(
            f"{metrics} has no training steps.{notes}",
            "the log is damaged; the checkpoints of the run can still be used."
            if notes
            else "it was trained for 0 steps; train it for more: "
            f"{call('train', resume=path, max_steps='1000')}"
            if summary.steps == 0
            else f"the run stopped before its first one: {call('train', resume=path)}",
        )
    values = config.model_dump(mode="json") if config else {}
    return RunHistory(name, summary, values, log, notes_on(log, metrics))


def load_runs(paths: Sequence[str]) -> tuple[RunHistory, ...]:
    """Loads runs, each once, with labels that tell them apart.

    Raises:
        InputError: As load_run.
    """
    distinct: dict[str, str] = {}
    for path in paths:
        distinct.setdefault(os.path.realpath(path), path)
    return distinguished([load_run(path) for path in distinct.values()])


def distinguished(runs: Sequence[RunHistory]) -> tuple[RunHistory, ...]:
    """The runs with labels of as many parts of their paths as are needed to tell them apart."""
    parts = [Path(run.summary.path).absolute().parts for run in runs]
    labels = [run.label for run in runs]
    for depth in range(2, max(map(len, parts), default=0) + 1):
        repeated = {label for label in labels if labels.count(label) > 1}
        if not repeated:
            break
        labels = [
            str(Path(*path[-depth:])) if label in repeated else label
            for label, path in zip(labels, parts, strict=True)
        ]
    return tuple(replace(run, label=label) for run, label in zip(runs, labels, strict=True))


def group_by_config(runs: Sequence[RunHistory]) -> tuple[RunGroup, ...]:
    """Groups runs of one text whose configs differ in the seed only, in the order of their first.

    A run without a readable config is a group of its own.
    """
    groups: list[tuple[Any, list[RunHistory]]] = []
    for run in runs:
        key = _compared(run)
        same = next((members for other, members in groups if key and other == key), None)
        if same is None:
            groups.append((key, [run]))
        else:
            same.append(run)
    return tuple(RunGroup(_group_label(members), tuple(members)) for _, members in groups)


def notes_on_comparison(runs: Sequence[RunHistory]) -> tuple[str, ...]:
    """What the reader of a comparison should know: losses of other texts or alphabets differ."""
    digests = {run.summary.text_digest for run in runs if run.summary.text_digest}
    alphabets = {run.summary.alphabet for run in runs if run.summary.alphabet}
    if len(alphabets) > 1:
        sizes = ", ".join(f"{size:,}" for size in sorted(alphabets))
        return (f"the alphabets differ ({sizes} characters): losses are not comparable.",)
    if len(digests) > 1:
        return ("the texts of the runs differ: their losses are not comparable.",)
    return ()


def _compared(run: RunHistory) -> Any:
    if not run.config:
        return None
    training = {key: run.config["training"][key] for key in run.config["training"]}
    for key in MACHINE:
        training.pop(key, None)
    return run.config | {"training": training}, run.summary.text_digest


def _group_label(runs: Sequence[RunHistory]) -> str:
    if len(runs) == 1:
        return runs[0].label
    seeds = {run.summary.seed for run in runs}
    noun = "seed" if len(seeds) == len(runs) else "run"
    columns = zip(*(run.label for run in runs), strict=False)
    common = "".join(letters[0] for letters in takewhile(lambda one: len({*one}) == 1, columns))
    name = common.rstrip("-_./ 0123456789") or runs[0].label
    return f"{name}, {pluralize(len(runs), noun)}"


def _require_run(path: str) -> None:
    """Raises InputError unless this is the directory of a run."""
    run = Path(path)
    try:
        if path and run.is_dir():
            if is_run(run) or os.path.lexists(RunFiles(run).metrics):
                return
            if is_sweep(path):
                raise InputError(f"{path} is {Kind.SWEEP.value}.", instead(path, Kind.SWEEP))
            inside, _ = find_runs(run)
            if inside:
                raise InputError(
                    f"{path} is a folder of runs.",
                    f"name some of them, such as {word(str(inside[0]))}",
                )
            raise InputError(f"{path} is not the directory of a run.", f"see {call('runs')}")
        if path and run.exists():
            raise InputError(
                f"{path} is a file, not the directory of a run.",
                f"give the directory, such as {word(str(_folder_of(run)))}",
            )
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"{path!r} is not a valid path: {error}.") from None
    raise InputError(f"there is no run {path!r}.", f"see which there are: {call('runs')}")


def _folder_of(file: Path) -> Path:
    """The run that a file belongs to, as far as its place tells."""
    return file.parent.parent if file.parent.name == "checkpoints" else file.parent
