"""Summarizes a run from the ends of its log and the metadata of its checkpoints."""

import re
import stat
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any

from charrnn.config.layers import check_config, load_config
from charrnn.config.settings import Config
from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.results import RunState, RunSummary
from charrnn.setup.run_files import RunFiles
from charrnn.setup.run_log import LogEnds, read_ends, steps_per_epoch
from charrnn.setup.wiring import budget_of
from charrnn.system.files import open_regular
from charrnn.system.lock import is_held
from charrnn.training.checkpoint_head import CheckpointHead, read_head
from charrnn.training.metadata import strict_json
from charrnn.training.state import Progress
from charrnn.units import BITS_PER_NAT

DIVERGENCE = re.compile(r"divergence-(\d{1,15})(?:-after-(\d{1,9})-rollbacks?)?")
MAX_REPORT_BYTES = 1 << 20


def summarize(path: Path, name: str) -> tuple[RunSummary, Config | None]:
    """Summarizes a run; reads little of it, writes nothing, and verifies no digest.

    Args:
        path: The run directory.
        name: What to call it.

    Returns:
        The summary, in which a damaged run has its fault; and the config of the run, if one is
        readable.
    """
    files = RunFiles(path)
    try:
        head, config, fault = _read(files)
        running = is_held(path / ".lock")
    except OSError as error:
        fault = f"{error.filename or path} cannot be read: {error.strerror}."
        return RunSummary(str(path), name, RunState.DAMAGED, fault), None
    try:
        ends = read_ends(files.metrics)
    except OSError:
        ends = LogEnds(None, None, None)
    progress = _progress(head, ends, running)
    steps, complete = _budget(config, ends, progress)
    diverged_at = None
    if fault and not (running and not head):
        state = RunState.DAMAGED
    elif running:
        state, fault = RunState.RUNNING, None
    elif complete:
        state = RunState.COMPLETE
    else:
        diverged_at = _divergence(files, progress)
        state = RunState.STOPPED if diverged_at is None else RunState.DIVERGED
    known = _known(config) | _losses(progress, ends, state)
    return RunSummary(
        path=str(path),
        name=name,
        state=state,
        fault=fault,
        text_digest=head.mark.digest if head else None,
        alphabet=head.alphabet if head else None,
        step=progress.step if progress else None,
        steps=steps,
        epochs=_epochs(ends, progress),
        seconds=progress.seconds if progress else None,
        diverged_at=diverged_at,
        **known,
    ), config


def _read(files: RunFiles) -> tuple[CheckpointHead | None, Config | None, str | None]:
    """The newest readable checkpoint, the config, and what is wrong with the run."""
    faults, found = [], None
    important = (files.checkpoint("last"), files.checkpoint("best"))
    for path in files.candidates():
        if found and path not in important:
            continue
        try:
            head = read_head(path)
        except InputError as error:
            faults.append(str(error))
            continue
        found = found or head
    if not found and not faults:
        faults.append("it has no checkpoint.")
    try:
        config = _config(files, found)
    except CharrnnError as error:
        config = None
        faults.append(str(error))
    return found, config, faults[0] if faults else None


def _config(files: RunFiles, head: CheckpointHead | None) -> Config | None:
    """The config of a run: that of its checkpoint, which a resumed run goes by, or its file.

    Raises:
        UsageError: It is invalid.
        OSError: It cannot be read.
    """
    if head:
        return check_config(head.config)
    if not files.config.exists():
        return None
    if not stat.S_ISREG(files.config.stat().st_mode):
        raise UsageError(f"{files.config} is not a regular file.")
    return load_config(str(files.config), [], {})


def _progress(head: CheckpointHead | None, ends: LogEnds, running: bool) -> Progress | None:
    """How far a run came: to its checkpoint, or while it is running or has none, to its log."""
    if head and not (running and ends.step and ends.step.step > head.progress.step):
        return head.progress
    if not ends.step:
        return None
    known = vars(head.progress) if head else {}
    seconds = ends.step.seconds if isfinite(ends.step.seconds) else 0.0
    return Progress(**known | {"step": ends.step.step, "seconds": max(seconds, 0.0)})


def _epochs(ends: LogEnds, progress: Progress | None) -> float | None:
    per_epoch = steps_per_epoch(ends.step)
    return progress.step / per_epoch if progress and per_epoch else None


def _budget(
    config: Config | None, ends: LogEnds, progress: Progress | None
) -> tuple[int | None, bool]:
    """The steps of the whole run, if they are limited and known; and whether it is complete."""
    if config is None:
        return None, False
    per_epoch = steps_per_epoch(ends.step)
    if config.training.epochs is not None and not per_epoch:
        without = config.training.model_copy(update={"epochs": None})
        config = config.model_copy(update={"training": without})
    budget = budget_of(config, per_epoch or 0)
    return budget.max_steps, progress is not None and budget.complete(progress)


def _divergence(files: RunFiles, progress: Progress | None) -> int | None:
    """The step at which a run diverged, if it has not gone on since; it went back if it has."""
    if progress is None:
        return None
    for folder in sorted(files.path.glob("divergence-*")):
        found = DIVERGENCE.fullmatch(folder.name)
        if not found or int(found[2] or 0) != progress.rollbacks:
            continue
        report = _report(folder / "report.json")
        if int(found[1]) > progress.step == report.get("checkpoint_step", progress.step):
            return int(found[1])
    return None


def _report(path: Path) -> dict[str, Any]:
    """The report of a divergence; empty if there is none that can be read."""
    with suppress(OSError, ValueError, RecursionError), open_regular(path) as file:
        report = strict_json(file.read(MAX_REPORT_BYTES).decode())
        return report if isinstance(report, dict) else {}
    return {}


def _known(config: Config | None) -> dict[str, Any]:
    """What the config says."""
    if config is None:
        return {}
    return {
        "texts": tuple(config.data.text),
        "activation": config.model.activation,
        "layers": config.model.layers,
        "hidden_size": config.model.hidden_size,
        "seed": config.training.seed,
    }


def _losses(progress: Progress | None, ends: LogEnds, state: RunState) -> dict[str, float | None]:
    """The losses of the best checkpoint, and how they compare with the n-gram."""
    nats = progress.best_validation_nats if progress else None
    ngram = ends.baselines.ngram_nats_per_character if ends.baselines else None
    ngram = ngram if ngram is not None and isfinite(ngram) else None
    test = ends.test.test_nats_per_character if ends.test else None
    return {
        "validation_nats_per_character": nats,
        "validation_bits_per_character": None if nats is None else nats * BITS_PER_NAT,
        "ngram_nats_per_character": ngram,
        "difference_nats_per_character": None if nats is None or ngram is None else nats - ngram,
        "test_nats_per_character": test if state is RunState.COMPLETE else None,
    }
