"""A run from its settings to its end: new or resumed, told as events, saved on the way."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import log
from types import FrameType
from typing import Any

from charrnn.config.layers import check_config, dump_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, Interrupted, UsageError
from charrnn.events import Evaluated, Event, RunEnded, RunStarted, Sampled
from charrnn.files import write_atomically
from charrnn.jobs.run_directory import RunDirectory
from charrnn.jobs.wiring import (
    activation_of,
    budget_of,
    first_params,
    objective_maker,
    optimizer_of,
    run_name,
    text_paths,
    trainer_of,
    with_absolute_paths,
)
from charrnn.sampling import chooser, default_prime, generate, stream
from charrnn.text.batches import require_fit
from charrnn.text.corpus import Corpus, build_corpus
from charrnn.text.ngram import witten_bell_nats
from charrnn.text.reading import read_text
from charrnn.training.checkpoint import Checkpoint, encode, load
from charrnn.training.evaluation import BITS_PER_NAT
from charrnn.training.parallel import choose_workers, parallel
from charrnn.training.state import TrainState

Sink = Callable[[Event], None]

NGRAM_ORDER = 4
NGRAM_CHARACTERS = 5_000_000  # counts on more take long and gain little


@dataclass(frozen=True)
class Run:
    """All that training needs. `remarks` are what the user should know about the text."""

    directory: RunDirectory
    config: Config
    corpus: Corpus
    state: TrainState
    remarks: tuple[str, ...]


def new_run(config: Config, out: str | None) -> Run:
    """A run from the first step. Nothing is written before text and config are known to fit.

    Raises: InputError for the text; UsageError for the directory.
    """
    config = with_absolute_paths(config)
    corpus, remarks = _corpus(config)
    state = TrainState.initial(
        first_params(config, len(corpus.vocabulary)),
        optimizer_of(config),
        config.training.batch_size,
    )
    directory = RunDirectory.create(out, run_name(config))
    return Run(directory, config, corpus, state, remarks)


def resumed_run(path: str, text: list[str], changes: dict[str, Any]) -> Run:
    """A run that goes on from its last checkpoint.

    text: where the text is now, if it was moved. changes: of `training`, such as max_steps.
    Raises: UsageError where there is no run or its budget is used; InputError where the text is
    another one.
    """
    directory = RunDirectory.existing(path)
    checkpoint = load(directory.checkpoint("last"))
    values = dict(checkpoint.config)
    values["training"] = values["training"] | changes
    values["data"] = values["data"] | ({"text": text} if text else {})
    config = with_absolute_paths(check_config(values))
    if budget_of(config).used(checkpoint.state.progress) >= 1:
        done = checkpoint.state.progress
        raise UsageError(
            f"{path} is complete: {done.step:,} steps in {done.seconds:.0f} s.",
            f"give it more, such as --max-steps {2 * done.step}",
        )
    corpus, remarks = _corpus(config)
    if corpus.digest != checkpoint.text_digest:
        raise InputError(
            f"{', '.join(text_paths(config))} is not the text that {path} was trained on.",
            "name the original text after --resume, or start a new run.",
        )
    return Run(directory, config, corpus, checkpoint.state, remarks)


def _corpus(config: Config) -> tuple[Corpus, tuple[str, ...]]:
    budget_of(config)
    text, remarks = read_text(text_paths(config))
    corpus = build_corpus(text, config.data.validation_fraction)
    require_fit(len(corpus.training), config.training.batch_size, config.training.window)
    most = config.evaluation.max_characters
    if most is not None and len(corpus.validation) > most:
        remarks += (
            f"validation uses the first {most:,} of {len(corpus.validation):,} characters.",
        )
    return corpus, remarks


def train(run: Run, sinks: list[Sink]) -> RunEnded:
    """Trains to the end of the budget, telling the sinks.

    Raises: Interrupted after SIGINT or SIGTERM, once the last step is saved; Divergence.
    """
    config, state = run.config, run.state
    settings = config.training
    workers = choose_workers(settings.workers, settings.batch_size)

    def emit(event: Event) -> None:
        for sink in sinks:
            sink(event)

    def save(names: list[str]) -> None:
        checkpoint = Checkpoint(
            state, run.corpus.vocabulary, config.model_dump(mode="json"), run.corpus.digest
        )
        run.directory.save(names, encode(checkpoint), config.checkpoints.keep)

    write_atomically(run.directory.config, dump_config(config).encode())
    with (
        parallel(objective_maker(config), workers, settings.reduction) as objective,
        _stop_requests() as stopped,
    ):
        trainer = trainer_of(config, run.corpus, objective)
        emit(_started(run, trainer.batches.per_epoch, workers))
        save(["last"])  # from here on, whatever happens, the run can go on
        saved_at = state.progress.seconds
        for event in trainer.run(state, stopped):
            emit(event)
            if isinstance(event, Evaluated):
                if config.evaluation.sample_length:
                    emit(_sample(run))
                # last comes last: what it says about best is true whenever the writing stops
                save([*(["best"] if event.best else []), f"step-{event.step}", "last"])
                saved_at = event.seconds
            elif event.seconds - saved_at >= config.checkpoints.every and not event.evaluation_due:
                save(["last"])
                saved_at = event.seconds
        if trainer.budget.used(state.progress) < 1:
            save(["last"])
            raise Interrupted(
                f"after step {state.progress.step:,}; everything is saved.",
                f"go on with: charrnn train --resume {run.directory.path}",
            )
    ended = _ended(run)
    emit(ended)
    return ended


def _started(run: Run, steps_per_epoch: int, workers: int) -> RunStarted:
    corpus, state = run.corpus, run.state
    alphabet = len(corpus.vocabulary)
    held_out = corpus.validation[: run.config.evaluation.max_characters]
    return RunStarted(
        run=str(run.directory.path),
        parameters=state.params.size,
        alphabet=alphabet,
        training_characters=len(corpus.training),
        validation_characters=len(corpus.validation),
        steps_per_epoch=steps_per_epoch,
        workers=workers,
        first_step=state.progress.step + 1,
        uniform_nats=log(alphabet),
        ngram_nats=witten_bell_nats(
            corpus.training[-NGRAM_CHARACTERS:], held_out, alphabet, NGRAM_ORDER
        )
        if len(held_out)
        else None,
        ngram_order=NGRAM_ORDER,
        remarks=run.remarks,
    )


def _sample(run: Run) -> Sampled:
    vocabulary, config = run.corpus.vocabulary, run.config
    ids = generate(
        run.state.params,
        activation_of(config),
        vocabulary.lookup(default_prime(vocabulary)),
        chooser(),
        stream(config.training.seed, run.state.progress.step),
    )
    text = "".join(vocabulary.characters[i] for i in islice(ids, config.evaluation.sample_length))
    return Sampled(run.state.progress.step, text)


def _ended(run: Run) -> RunEnded:
    progress = run.state.progress
    validation = progress.best_validation_nats
    return RunEnded(
        run=str(run.directory.path),
        checkpoint=str(run.directory.checkpoint("best")),
        steps=progress.step,
        train_nats_per_character=progress.best_train_nats,
        validation_nats_per_character=validation,
        validation_bits_per_character=None if validation is None else validation * BITS_PER_NAT,
        characters_per_second=progress.characters / progress.step_seconds,
        seconds=progress.seconds,
    )


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM has come; a second one has its usual effect."""
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(received)
    finally:
        restore()
