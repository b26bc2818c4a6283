"""Runs a trial: an ordinary run, whose evaluations are reported to the study."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Literal

import optuna
from optuna.trial import Trial, TrialState

from charrnn.config.layers import changed, nested
from charrnn.errors import InputError, Interrupted, UsageError
from charrnn.events import Evaluated, Event, Sink, Stepped
from charrnn.runs import start
from charrnn.runs.resume import Complete, resumed_run
from charrnn.runs.start import Run
from charrnn.runs.train import train
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.run_files import RunFiles
from charrnn.sweeps.claims import Claim
from charrnn.sweeps.study import Plan
from charrnn.training.state import Progress
from charrnn.training.trainer import Divergence

Sinks = Callable[[Run], list[Sink]]
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

    kind: Literal["complete", "pruned", "failed", "interrupted"]
    validation: float | None = None
    train: float | None = None
    seconds: float = 0.0
    steps: int = 0
    failure: str | None = None


class TrialSink:
    """Reports the evaluations of a run to its trial, and asks whether to go on.

    The number of an evaluation is that of the part of the budget that is used up: a run that has
    no time for all evaluations is compared with others at the same point.
    """

    def __init__(self, trial: Trial, evaluations: int, prunes: bool) -> None:
        self._trial, self._evaluations, self._prunes = trial, evaluations, prunes
        self._used = 0.0
        self.pruned = False

    def __call__(self, event: Event) -> None:
        """Handles an event."""
        if isinstance(event, Stepped):
            self._used = event.used
        elif isinstance(event, Evaluated) and event.validation_nats_per_character is not None:
            number = max(floor(self._used * self._evaluations + 1e-9), 1)
            self._trial.report(event.validation_nats_per_character, number)
            self.pruned = self._prunes and self._used < 1 and self._trial.should_prune()

    def flush(self) -> None:
        """Does nothing: a report is stored when it is made."""

    def close(self) -> None:
        """Does nothing."""


def run_trial(
    claim: Claim, plan: Plan, path: Path, sinks: Sinks, stopped: Callable[[], bool]
) -> Outcome:
    """Trains the run of a trial to its end, or goes on with it.

    Args:
        claim: The trial.
        plan: The sweep.
        path: The run directory.
        sinks: Makes the sinks of the run.
        stopped: Asked between steps; true stops the run, which is saved.

    Raises:
        CharrnnError: The run cannot be saved, or not begun for a reason that other trials share.
    """
    try:
        run = _run(claim, plan, path)
    except Complete:
        checkpoint, _ = load_checkpoint(RunFiles(path).checkpoint("last"))
        return _measured("complete", checkpoint.state.progress, None)
    except (InputError, InvalidSettings) as error:
        return Outcome("failed", failure=str(error))
    reports = TrialSink(
        claim.trial, plan.config.evaluation.count, plan.pruner != "none" and claim.repeats is None
    )
    progress = run.state.progress
    try:
        every: Iterable[Sink] = [*sinks(run), reports]
        ended = train(run, every, (), lambda: reports.pruned or stopped())
    except Interrupted:
        return _measured("pruned" if reports.pruned else "interrupted", progress, None)
    except Divergence as divergence:
        # one that was never evaluated still tells a sampler to look elsewhere: a failed trial
        # would not, so it counts as pruned
        kind: Literal["complete", "pruned"]
        kind = "pruned" if progress.best_validation_nats is None else "complete"
        return _measured(kind, progress, str(divergence))
    return _measured("complete", progress, ended.failure)


class InvalidSettings(UsageError):
    """The values of a trial are valid, but not together."""


def _run(claim: Claim, plan: Plan, path: Path) -> Run:
    if claim.resumed and RunFiles(path).candidates():
        return resumed_run(str(path), [], {})
    values = claim.settings | {"training.seed": claim.seed}
    try:
        config = changed(plan.config, nested(values), "these settings")
    except UsageError as error:
        raise InvalidSettings(str(error)) from None
    return start.new_run(config, str(path))


def _measured(
    kind: Literal["complete", "pruned", "interrupted"], progress: Progress, failure: str | None
) -> Outcome:
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
