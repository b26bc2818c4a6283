"""Runs a trial: an ordinary run, whose evaluations are reported to the study."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import Trial, TrialState

from charrnn.config.dotted import nested
from charrnn.config.layers import changed, load_config
from charrnn.errors import CharrnnError, InputError, Interrupted, UsageError
from charrnn.events import Evaluated, Event, Noted, Stepped
from charrnn.runs import start
from charrnn.runs.resume import Complete, resumed_run
from charrnn.runs.start import Run
from charrnn.runs.train import train
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.run_files import RunFiles
from charrnn.sweep_events import SweepNoted
from charrnn.sweeps.assignment import Assignment, Emit
from charrnn.sweeps.claims import Claim
from charrnn.sweeps.storage import Storage
from charrnn.sweeps.study import Study
from charrnn.training.state import Progress
from charrnn.training.trainer import Divergence
from charrnn.training.workers import choose_workers

Kind = Literal["complete", "pruned", "failed", "interrupted"]
STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


@dataclass(frozen=True)
class Outcome:
    """How a trial went.

    Attributes:
        kind: What became of it; an interrupted one goes on later.
        validation: Best validation loss in nats per character.
        train: Training loss at that evaluation.
        seconds, steps: What it took.
        failure: What went wrong.
    """

    kind: Kind
    validation: float | None = None
    train: float | None = None
    seconds: float = 0.0
    steps: int = 0
    failure: str | None = None


class TrialSink:
    """Reports the evaluations of a run to its trial, and asks whether to go on.

    The number of an evaluation is that of the part of the budget that is used up: a run that has
    no time for all evaluations is compared with others at the same point. A report that fails is
    noted, and training continues. A run that is resumed or begins again repeats evaluations; the
    first report of each counts.
    """

    def __init__(self, trial: Trial, storage: Storage, evaluations: int, prunes: bool) -> None:
        self._trial, self._storage = trial, storage
        self._evaluations, self._prunes = evaluations, prunes
        self._used = 0.0
        known = trial.storage.get_trial(trial._trial_id).intermediate_values
        self._reported = {*known}
        self.pruned = False

    def __call__(self, event: Event) -> None:
        """Handles an event."""
        if isinstance(event, Stepped):
            self._used = event.used
        elif isinstance(event, Evaluated) and event.validation_nats_per_character is not None:
            number = max(floor(self._used * self._evaluations + 1e-9), 1)
            with self._storage.failures():
                if number not in self._reported:
                    self._trial.report(event.validation_nats_per_character, number)
                    self._reported.add(number)
                self.pruned = self._prunes and self._used < 1 and self._trial.should_prune()

    def flush(self) -> None:
        """Does nothing: a report is stored when it is made."""

    def close(self) -> None:
        """Does nothing."""


class NoteSink:
    """Passes on what is noted while a run trains, with the number of its trial."""

    def __init__(self, number: int, emit: Emit) -> None:
        self._number, self._emit = number, emit

    def __call__(self, event: Event) -> None:
        """Handles an event."""
        if isinstance(event, Noted):
            self._emit(SweepNoted(f"trial {self._number}: {event.note}"))

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def run_trial(
    claim: Claim,
    assignment: Assignment,
    study: Study,
    stopped: Callable[[], bool],
    emit: Emit,
) -> Outcome:
    """Trains the run of a trial to its end, or goes on with it.

    Args:
        claim: The trial.
        assignment: The sweep.
        study: Its study.
        stopped: Asked between steps; true stops the run, which is saved.
        emit: Receives notes.

    Raises:
        CharrnnError: The run cannot be saved, or not begun for a reason that other trials share.
    """
    with _continuable(claim.path):
        return _trained(claim, assignment, study, stopped, emit)


@contextmanager
def _continuable(path: Path) -> Iterator[None]:
    """Says of what cannot be written that the sweep can be continued."""
    hint = "free some space, or repair the disk; then the same command continues the sweep."
    try:
        yield
    except OSError as error:
        raise CharrnnError(f"{path} cannot be saved: {error.strerror}.", hint) from None
    except CharrnnError as error:
        if type(error) is CharrnnError or isinstance(error.__context__, OSError):
            error.hint = hint
        raise


def _trained(
    claim: Claim,
    assignment: Assignment,
    study: Study,
    stopped: Callable[[], bool],
    emit: Emit,
) -> Outcome:
    plan = assignment.plan
    try:
        run = _run(claim, assignment)
    except Complete:
        checkpoint, _ = load_checkpoint(RunFiles(claim.path).checkpoint("last"))
        return _measured("complete", checkpoint.state.progress, None)
    except (InputError, InvalidSettings) as error:
        return Outcome("failed", failure=str(error))
    prunes = plan.pruner != "none" and claim.repeats is None
    reports = TrialSink(claim.trial, study.storage, plan.config.evaluation.count, prunes)
    sinks = [*assignment.sinks(run), reports, NoteSink(claim.trial.number, emit)]
    progress = run.state.progress
    try:
        ended = train(run, sinks, (), lambda: reports.pruned or stopped())
    except Interrupted:
        return _measured("pruned" if reports.pruned else "interrupted", progress, None)
    except Divergence as divergence:
        # a sampler learns nothing from a failed trial, but from a pruned one, to look elsewhere
        known = progress.best_validation_nats is not None
        return _measured("complete" if known else "pruned", progress, str(divergence))
    except MemoryError:
        return _measured("failed", progress, "out of memory")
    return _measured("complete", progress, ended.failure)


class InvalidSettings(UsageError):
    """The values of a trial are valid, but not together."""


def _run(claim: Claim, assignment: Assignment) -> Run:
    values = claim.settings | {"training.seed": claim.seed}
    if (files := RunFiles(claim.path)).candidates():
        # a journal that lost its last lines gives the number of a trial again
        if not claim.resumed or not _tries(files.config, values):
            raise UsageError(
                f"{claim.path} has a run that the study knows nothing of.",
                "move this folder elsewhere; then the same command continues the sweep.",
            )
        return resumed_run(str(claim.path), assignment.string or [], {})
    try:
        config = changed(assignment.plan.config, nested(values), "these settings")
    except UsageError as error:
        raise InvalidSettings(str(error)) from None
    if assignment.jobs > 1 and config.training.workers == "auto":
        size = config.training.batch_size, config.model.hidden_size
        cores = max((os.cpu_count() or 1) // assignment.jobs, 1)
        workers = min(choose_workers("auto", *size), cores)
        config = changed(config, nested({"training.workers": workers}))
    return start.new_run(config, str(claim.path), string=assignment.string)


def _tries(file: Path, values: dict[str, Any]) -> bool:
    """Whether a config has these values, by dotted key; a run that was killed may have none."""
    if not file.is_file():
        return True
    config = load_config(str(file), [], {})
    return changed(config, nested(values)) == config


def _measured(kind: Kind, progress: Progress, failure: str | None) -> Outcome:
    return Outcome(
        kind,
        progress.best_validation_nats,
        progress.best_train_nats,
        progress.seconds,
        progress.step,
        failure,
    )


def tell(study: optuna.Study, trial: Trial, outcome: Outcome) -> None:
    """Ends a trial in its study, or gives it back if it was interrupted."""
    if outcome.kind == "interrupted":
        trial.set_user_attr("worker", None)
        return
    for name in ("train", "seconds", "steps", "failure"):
        if (value := getattr(outcome, name)) is not None:
            trial.set_user_attr(name, value)
    value = outcome.validation if outcome.kind == "complete" else None
    study.tell(trial, value, STATES[outcome.kind])
