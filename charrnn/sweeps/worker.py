"""Works on a study until all of its trials are over."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from charrnn.sweep_events import SweepEvent, SweepNoted, TrialEnded, TrialStarted
from charrnn.sweeps.claims import Claim, Worker, is_done
from charrnn.sweeps.study import Plan, Study, best_of
from charrnn.sweeps.trials import Sinks, run_trial, tell
from charrnn.wording import pluralize

POLL_SECONDS = 0.5  # between two looks for a trial, while others work on the last ones
STEP_SECONDS = 0.05  # between two looks at whether to stop


def work(
    study: Study,
    plan: Plan,
    folder: Path,
    sinks: Sinks,
    stopped: Callable[[], bool],
    emit: Callable[[SweepEvent], None],
) -> None:
    """Works on trials until all are over, those of other workers too.

    Args:
        study: The study.
        plan: What the sweep does.
        folder: Where the runs go.
        sinks: Makes the sinks of a run.
        stopped: Asked often; true ends the work after saving.
        emit: Receives the events.

    Raises:
        CharrnnError: A run or the study cannot be saved.
    """
    worker = Worker(study, plan, folder)
    try:
        announced = False
        while not stopped():
            if claim := worker.claim():
                _work_on(claim, study, plan, folder, sinks, stopped, emit, worker)
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
    study: Study,
    plan: Plan,
    folder: Path,
    sinks: Sinks,
    stopped: Callable[[], bool],
    emit: Callable[[SweepEvent], None],
    worker: Worker,
) -> None:
    path = folder / f"trial-{claim.trial.number}"
    with study.storage.failures():
        claim.trial.set_user_attr("run", str(path))
    emit(
        TrialStarted(
            claim.trial.number, str(path), claim.settings, claim.seed, claim.repeats, claim.resumed
        )
    )
    with worker.alive(claim.trial) as taken:
        try:
            outcome = run_trial(claim, plan, path, sinks, lambda: taken() or stopped())
        except BaseException:
            worker.give_back(claim.trial)
            raise
        with study.exclusive():
            if not worker.owns(claim.trial):
                emit(SweepNoted(f"trial {claim.trial.number} was taken over by another worker"))
                return
            tell(study.optuna, claim.trial, outcome)
    trials = study.trials()
    best = best_of(trials)
    emit(
        TrialEnded(
            number=claim.trial.number,
            outcome=outcome.kind,
            validation=outcome.validation,
            seconds=outcome.seconds,
            failure=outcome.failure,
            ended=sum(trial.state.is_finished() for trial in trials),
            trials=max(plan.trials, len(trials)),
            best=None if best is None or best.value is None else (best.number, best.value),
        )
    )
