"""Works on a study until all of its trials are over."""

from collections.abc import Callable
from time import monotonic, sleep

from charrnn.sweep_events import SweepNoted, TrialEnded, TrialStarted
from charrnn.sweeps.assignment import Assignment, Emit
from charrnn.sweeps.claims import Claim, Worker, is_done
from charrnn.sweeps.study import Plan, Study, best_of
from charrnn.sweeps.trials import Outcome, run_trial, tell
from charrnn.wording import pluralize

POLL_SECONDS = 0.5  # between two looks for a trial, while others work on the last ones
STEP_SECONDS = 0.05  # between two looks at whether to stop


def work(assignment: Assignment, study: Study, stopped: Callable[[], bool], emit: Emit) -> None:
    """Works on trials until all are over, those of other workers too.

    Args:
        assignment: What to work on.
        study: The study.
        stopped: Asked often; true ends the work after saving.
        emit: Receives the events.

    Raises:
        CharrnnError: A run or the study cannot be saved.
    """
    plan = assignment.plan
    worker = Worker(study, plan, assignment.folder)
    announced = assignment.jobs > 1
    try:
        while not stopped():
            if claim := worker.claim():
                _work_on(claim, worker, assignment, study, stopped, emit)
                continue
            trials = study.trials()
            if is_done(trials, plan):
                return
            if not announced:
                others = sum(not trial.state.is_finished() for trial in trials)
                emit(SweepNoted(f"waiting for {pluralize(others, 'trial')} of other workers"))
                announced = True
            until = monotonic() + POLL_SECONDS
            while monotonic() < until and not stopped():
                sleep(STEP_SECONDS)
    finally:
        worker.close()


def _work_on(
    claim: Claim,
    worker: Worker,
    assignment: Assignment,
    study: Study,
    stopped: Callable[[], bool],
    emit: Emit,
) -> None:
    """Trains the run of a trial, and ends the trial, unless another worker has it by then."""
    trial = claim.trial
    started = TrialStarted(
        trial.number, str(claim.path), claim.settings, claim.seed, claim.repeats, claim.resumed
    )
    emit(started)
    with worker.alive(trial) as taken:
        try:
            outcome = run_trial(claim, assignment, study, lambda: taken() or stopped(), emit)
        except BaseException:
            worker.give_back(trial)
            raise
        with study.exclusive():
            if own := worker.owns(trial):
                tell(study.optuna, trial, outcome)
    emit(
        _ended(trial.number, outcome, assignment.plan, study)
        if own
        else SweepNoted(f"trial {trial.number} was taken over by another worker")
    )


def _ended(number: int, outcome: Outcome, plan: Plan, study: Study) -> TrialEnded:
    trials = study.trials()
    best = best_of(trials)
    return TrialEnded(
        number=number,
        outcome=outcome.kind,
        validation=outcome.validation,
        seconds=outcome.seconds,
        failure=outcome.failure,
        ended=sum(trial.state.is_finished() for trial in trials),
        trials=max(plan.trials + plan.seeds - 1, len(trials)),
        best=None if best is None or best.value is None else (best.number, best.value),
    )
