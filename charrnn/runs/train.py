"""Trains a run to its end, with events for its sinks and checkpoints on the way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from math import log
from signal import Signals

from charrnn.errors import CharrnnError, InputError, Interrupted
from charrnn.events import (
    Baselines,
    Evaluated,
    Noted,
    RolledBack,
    RunEnded,
    RunStarted,
    Sink,
    Stepped,
    StopRequested,
    Tested,
)
from charrnn.model.params import Params
from charrnn.runs.divergence import advice, write_diagnostics
from charrnn.runs.emitter import Emitter
from charrnn.runs.lag_log import LagLog
from charrnn.runs.leader import Alone, Leader
from charrnn.runs.observations import baselines, sample, weights
from charrnn.runs.orders import STOP_SIGNALS
from charrnn.runs.outcome import failure
from charrnn.runs.rollback import RollbackHistory
from charrnn.runs.saving import Saver
from charrnn.runs.start import Run
from charrnn.runs.stop import stop_requests
from charrnn.setup.backend import backend_of
from charrnn.setup.sharing import crowd_notes, ranks_in_all, sharing_notes
from charrnn.setup.wiring import scorer_of, trainer_of
from charrnn.system.escaping import CONTINUED
from charrnn.system.ranks import current
from charrnn.system.signals import SIGNALS
from charrnn.training.trainer import Divergence, SavePoint, Trainer
from charrnn.training.workers import worker_threads
from charrnn.units import BITS_PER_NAT
from charrnn.wording import call, pluralize

TAKING_TURNS = "no thread can be started: the workers take turns, with the same results."
# the best checkpoint is kept, and the evaluations since then still count
NEVER_ROLLED_BACK = ("best_score", "best_train_nats", "best_validation_nats", "stale")


def train(
    run: Run,
    sinks: Iterable[Sink],
    signals: Sequence[Signals] = SIGNALS,
    stopped: Callable[[], bool] = lambda: False,
) -> RunEnded:
    """Trains until the run is complete, then closes the sinks and unlocks the directory.

    Args:
        run: The run.
        sinks: Receive the events.
        signals: Those that stop the run after its current step.
        stopped: Asked between steps; true stops the run too.

    Returns:
        The last event.

    Raises:
        Interrupted: The run was stopped before its end; the last step is saved.
        Divergence: Training diverged, and the config does not roll back.
        CharrnnError: The start or the end of the run cannot be saved.
    """
    emit, ranks = Emitter(sinks), current.get()
    if ranks:
        signals = STOP_SIGNALS
    with ExitStack() as stack:
        stack.callback(run.directory.release)
        stack.callback(emit.close)
        workers = stack.enter_context(worker_threads(run.config.training.workers, ranks))
        requested = stack.enter_context(stop_requests(lambda: emit(StopRequested()), signals))
        if not workers.all_started:
            emit(Noted(run.state.progress.step, TAKING_TURNS))
        backend_of(run.config, lambda note: emit(Noted(run.state.progress.step, note)))
        others = Leader(ranks, run.task) if ranks else Alone()
        trainer = others.leading(trainer_of(run.config, run.batches, run.scored, workers))
        test = others.scoring_test(scorer_of(run.config, run.test, workers))
        return _train(
            run, trainer, test, emit, lambda: requested() or others.stopping or stopped(), others
        )


def _train(
    run: Run,
    trainer: Trainer,
    test: Callable[[Params], float | None],
    emit: Emitter,
    stopped: Callable[[], bool],
    others: Alone,
) -> RunEnded:
    config, steps_per_epoch = run.config, trainer.batches.per_epoch
    save = Saver(run, emit)
    history = RollbackHistory(enabled=config.training.on_divergence == "rollback")
    save.begin()
    history.begin(run)
    emit(_started(run, steps_per_epoch, trainer.budget.max_steps))
    compared = baselines(run) if len(run.corpus.validation) else None
    if compared:
        emit(compared)
    worst: Stepped | None = None
    lag_log = LagLog(run, steps_per_epoch) if config.logging.lag_profile else None
    others.send(run.state)
    try:
        for event in _events(run, trainer, stopped, history, others):
            if isinstance(event, SavePoint):
                if save.due:
                    others.collect(run.state)
                    history.saved(run.state)
                    save("last")
                continue
            emit(event)
            if isinstance(event, Stepped):
                if worst is None or event.nats_per_character > worst.nats_per_character:
                    worst = event
                for profile in lag_log(event) if lag_log else ():
                    emit(profile)
            elif isinstance(event, Evaluated):
                others.collect(run.state)
                others.send(run.state)  # rounding may differ on processors of another kind
                emit(weights(run))
                if sampled := sample(run):
                    emit(sampled)
                history.evaluated(run.state)
                save(*(["best"] if event.best else []), f"step-{event.step}", "last")
            else:
                save.rolled_back()
    except Divergence as divergence:
        try:
            save.end()
        except CharrnnError as unsaved:
            divergence.hint = f"{divergence.hint}{CONTINUED}{unsaved}"
        raise
    complete = trainer.budget.complete(run.state.progress)
    if not complete:
        others.collect(run.state)
        save("last")
    elif not run.state.progress.step:  # without steps the first weights are the best
        save("best", "last")
    save.end()
    if not complete:
        done = run.state.progress.step
        raise Interrupted(
            f"{f'after step {done:,}' if done else 'before the first step'}; everything is saved.",
            f"resume with: {call('train', resume=run.directory.name)}",
        )
    early = trainer.budget.used(run.state.progress) < 1
    tested = test(_best_params(run)) if len(run.test) else None
    ended = _ended(run, early, compared, worst, tested)
    if ended.test_nats_per_character is not None:
        emit(Tested(run.state.progress.step, ended.test_nats_per_character))
    emit(ended)
    return ended


def _events(
    run: Run,
    trainer: Trainer,
    stopped: Callable[[], bool],
    history: RollbackHistory,
    others: Alone,
) -> Iterator[Stepped | Evaluated | SavePoint | RolledBack]:
    """The events of the trainer, which is rolled back after a divergence if the config says so."""
    training, progress = run.config.training, run.state.progress
    start = trainer.clock() - progress.seconds
    while True:
        try:
            yield from trainer.run(run.state, stopped)
            return
        except Divergence as divergence:
            others.collect(run.state)
            rollbacks = progress.rollbacks
            kept = {name: getattr(progress, name) for name in NEVER_ROLLED_BACK}
            divergence.hint = (
                f"{write_diagnostics(run, divergence)}; {advice(run.config, rollbacks)}"
            )
            if training.on_divergence == "stop":
                raise
            if rollbacks >= training.max_rollbacks:
                times = pluralize(rollbacks, "time")
                divergence.hint = f"it was rolled back {times}; {divergence.hint}"
                raise
            # from the state right before it the same step would diverge at any rate
            if not history.restore_before(divergence.step - 1, run.state):
                divergence.hint = f"no earlier state was saved; {divergence.hint}"
                raise
            others.send(run.state)
            seconds = trainer.clock() - start  # the clock does not go back
            vars(progress).update(kept, rollbacks=rollbacks + 1, seconds=seconds)
            if progress.best_score is None and trainer.budget.used(progress) >= 1:
                divergence.hint = f"no time is left to train again; {divergence.hint}"
                raise
            note = f"{divergence} Back to step {progress.step:,}, at half the learning rate."
            yield RolledBack(progress.step, note)


def _started(run: Run, steps_per_epoch: int, steps: int | None) -> RunStarted:
    return RunStarted(
        run=run.directory.name,
        parameters=run.state.params.size,
        alphabet=len(run.corpus.vocabulary),
        training_characters=len(run.corpus.training),
        validation_characters=len(run.corpus.validation),
        steps_per_epoch=steps_per_epoch,
        steps=steps,
        workers=run.config.training.workers,
        ranks=ranks_in_all(),
        first_step=run.state.progress.step + 1,
        notes=run.notes + sharing_notes(run.config) + crowd_notes(),
    )


def _best_params(run: Run) -> Params:
    """The weights of the best checkpoint; the latest ones if it cannot be read."""
    try:
        return run.directory.load("best")[0].params
    except InputError:
        return run.state.model


def _ended(
    run: Run,
    early: bool,
    compared: Baselines | None,
    worst: Stepped | None,
    test: float | None,
) -> RunEnded:
    progress = run.state.progress
    validation = progress.best_validation_nats
    uniform = log(len(run.corpus.vocabulary))
    score = progress.best_train_nats if validation is None else validation
    return RunEnded(
        run=run.directory.name,
        checkpoint=run.directory.locate("best"),
        steps=progress.step,
        early=early,
        train_nats_per_character=progress.best_train_nats,
        validation_nats_per_character=validation,
        validation_bits_per_character=None if validation is None else validation * BITS_PER_NAT,
        test_nats_per_character=test,
        ngram_nats_per_character=compared.ngram_nats_per_character if compared else None,
        uniform_nats_per_character=uniform,
        unigram_nats_per_character=compared.unigram_nats_per_character if compared else None,
        xz_nats_per_character=compared.xz_nats_per_character if compared else None,
        characters_per_second=progress.characters / max(progress.step_seconds, 1e-9),
        seconds=progress.seconds,
        failure=failure(run.config, score, uniform, progress.step, progress.rollbacks, worst),
    )
