"""Training a run to its end: told as events, saved on the way."""

from collections.abc import Callable
from itertools import islice
from math import log
from shlex import quote

import numpy as np
from numpy.random import default_rng

from charrnn.config.layers import dump_config
from charrnn.errors import CharrnnError, Interrupted
from charrnn.events import (
    Baselines,
    Evaluated,
    Event,
    RunEnded,
    RunStarted,
    Sampled,
    Stepped,
    StopRequested,
)
from charrnn.files import write_atomically
from charrnn.jobs.lag_log import LagLog
from charrnn.jobs.start import Run
from charrnn.jobs.stop import stop_requests
from charrnn.jobs.wiring import activation_of, held_out, trainer_of
from charrnn.sampling.choice import chooser
from charrnn.sampling.texts import Texts
from charrnn.text.lines import NEWLINE
from charrnn.text.ngram import witten_bell_nats
from charrnn.text.sequences import SEQUENCES
from charrnn.training.checkpoint import Checkpoint, encode
from charrnn.training.evaluation import BITS_PER_NAT
from charrnn.training.parallel import crew_of

Sink = Callable[[Event], None]

NGRAM_CONTEXT = 4
NGRAM_CHARACTERS = 2_000_000  # counts on more take memory and gain little


def train(run: Run, sinks: list[Sink]) -> RunEnded:
    """Trains to the end of the budget, telling the sinks.

    Raises: Interrupted after SIGINT, SIGTERM or SIGHUP, once the last step is saved; Divergence;
    CharrnnError where a checkpoint cannot be written.
    """
    config, state = run.config, run.state
    workers = int(config.training.workers)  # a run's config is resolved

    def emit(event: Event) -> None:
        for sink in sinks:
            sink(event)

    def sample(event: Evaluated) -> None:
        try:
            text = _sample(run)
        except CharrnnError:  # a ReLU network may be unable to write, and learn nonetheless
            return
        if text:
            emit(Sampled(event.step, text))

    def save(names: list[str]) -> None:
        checkpoint = Checkpoint(
            state, run.corpus.vocabulary, config.model_dump(mode="json"), run.corpus.digest
        )
        run.directory.save(names, encode(checkpoint), config.checkpoints.keep)

    with (
        crew_of(workers) as crew,
        stop_requests(lambda: emit(StopRequested())) as stopped,
    ):
        trainer = trainer_of(config, run.corpus, crew)
        save(["last"])  # from here on, whatever happens, the run can go on
        write_atomically(run.directory.config, dump_config(config).encode())
        emit(_started(run, trainer.batches.per_epoch, workers))
        if len(run.corpus.validation):
            emit(_baselines(run))
        lag_log = LagLog(run, trainer.batches.per_epoch) if config.logging.lag_profile else None
        saved_at = state.progress.seconds
        for event in trainer.run(state, stopped):
            emit(event)
            if isinstance(event, Stepped) and lag_log and (profile := lag_log(event)):
                emit(profile)
            if isinstance(event, Evaluated):
                sample(event)
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
                f"go on with: charrnn train --resume {quote(str(run.directory.path))}",
            )
    ended = _ended(run)
    emit(ended)
    return ended


def _started(run: Run, steps_per_epoch: int, workers: int) -> RunStarted:
    return RunStarted(
        run=str(run.directory.path),
        parameters=run.state.params.size,
        alphabet=len(run.corpus.vocabulary),
        training_characters=len(run.corpus.training),
        validation_characters=len(run.corpus.validation),
        steps_per_epoch=steps_per_epoch,
        workers=workers,
        first_step=run.state.progress.step + 1,
        remarks=run.remarks,
    )


def _baselines(run: Run) -> Baselines:
    corpus, alphabet = run.corpus, len(run.corpus.vocabulary)
    sequences = SEQUENCES[run.config.data.sequences]
    parts = corpus.training[-NGRAM_CHARACTERS:], held_out(run.config, corpus)
    counted, scored = (
        np.concatenate([(sequences.history(part) > 0) & (part is of) for part in parts])
        for of in parts
    )
    ids = np.concatenate(parts)
    history = sequences.history(ids)
    ngram = witten_bell_nats(ids, counted, scored, history, alphabet, NGRAM_CONTEXT)
    return Baselines(uniform=log(alphabet), ngram=ngram, context=NGRAM_CONTEXT)


def _sample(run: Run) -> str:
    """One text; of lines, as many as begin within its length."""
    vocabulary, config = run.corpus.vocabulary, run.config
    left, texts = config.evaluation.sample_length, []
    end = SEQUENCES[config.data.sequences].end
    writing = Texts(
        run.state.params,
        activation_of(config),
        vocabulary,
        "",
        end=end,
        choose=chooser(),
        random=lambda number: default_rng([config.training.seed, run.state.progress.step, number]),
        length=left,
        count=None if end == NEWLINE else 1,
        lanes=1,
    )
    for text in writing:
        texts.append("".join(islice(text, left)))
        left -= len(texts[-1]) + len(NEWLINE)
        if left <= 0:
            break
    return NEWLINE.join(texts)


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
