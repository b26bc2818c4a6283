"""What a text is to a run before any training, and what a checkpoint is."""

import resource
import sys
import time
from pathlib import Path

import numpy as np

from charrnn.config.layers import Layer
from charrnn.config.settings import Config
from charrnn.errors import InputError
from charrnn.events import Evaluated
from charrnn.optim.clipping import norms_of
from charrnn.results import Alphabet, CheckpointState, ModelReport, TextReport, Trial
from charrnn.setup.corpora import corpus_of
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.parent import configured, parent_of
from charrnn.setup.run_files import RunFiles, find_checkpoint
from charrnn.setup.wiring import (
    budget_of,
    decoding_of,
    first_params,
    held_out,
    optimizer_of,
    resolved,
    text_paths,
    trainer_of,
)
from charrnn.system.machine import physical_memory
from charrnn.text.corpus import Corpus
from charrnn.text.lines import NEWLINE
from charrnn.text.text import Text
from charrnn.training.parallel import crew_of
from charrnn.training.state import TrainState
from charrnn.training.trainer import Divergence

TRIAL = 2.0  # seconds of steps that are tried


def is_checkpoint(path: str) -> bool:
    """Whether this is a run directory or a file in the format of checkpoints, sound or not."""
    place = Path(path)
    try:
        if place.is_dir():
            return bool(RunFiles(place).candidates())
        if not place.is_file():
            return False
        with place.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False  # reading it as a text says what is wrong
    # the length of the header in eight bytes, and the header: in no text are there such NULs
    return place.suffix == ".safetensors" or (head[5:8] == bytes(3) and head[8:] == b"{")


def runs_in(path: str) -> list[str]:
    """The run directories that lie in a folder."""
    try:
        files = sorted(Path(path).glob("*/checkpoints/*.safetensors")) if path else []
    except OSError:
        return []  # reading it as a text says what is wrong
    return list(dict.fromkeys(str(file.parent.parent) for file in files))


def inspect_text(
    config_path: str | None, assignments: list[str], flags: Layer
) -> tuple[TextReport, tuple[str, ...]]:
    """The report on a config's text, and remarks; nothing is written.

    Raises: what `train` would raise before its first step.
    """
    config = resolved(configured(config_path, assignments, flags))
    parent = parent_of(config)
    corpus, remarks = corpus_of(config, parent.vocabulary if parent else None)
    alphabet = _alphabet(corpus)
    state = TrainState.initial(
        first_params(config, len(corpus.vocabulary)),
        optimizer_of(config),
        config.training.batch_size,
    )
    trial, steps_per_epoch = _trial(config, corpus, state)
    scored = len(held_out(config, corpus))
    steps, seconds = _expected(config, trial, scored)
    report = TextReport(
        texts=tuple(text_paths(config)),
        encoding=decoding_of(config).encoding,
        sequences=config.data.sequences,
        characters=corpus.size,
        lines=dict(zip(alphabet.characters, alphabet.counts or (), strict=True)).get(NEWLINE, 0),
        alphabet=alphabet,
        training=len(corpus.training),
        validation=len(corpus.validation),
        scored=scored,
        hidden_size=config.model.hidden_size,
        activation=config.model.activation,
        weights=state.params.size,
        workers=int(config.training.workers),
        steps_per_epoch=steps_per_epoch,
        steps=steps,
        seconds=seconds,
        trial=trial,
    )
    return report, remarks


def _alphabet(corpus: Corpus) -> Alphabet:
    known = corpus.vocabulary.characters
    parts = [Text(known, part).counts() for part in (corpus.training, corpus.validation)]
    counts = np.sum(parts, axis=0)
    order = np.argsort(-counts, kind="stable")
    characters = tuple(known[id] for id in order)
    return Alphabet(characters, tuple(counts[order].tolist()))


def _trial(config: Config, corpus: Corpus, state: TrainState) -> tuple[Trial, int]:
    """Steps as training takes them, for a moment; and how many are an epoch."""
    endless = {"max_steps": sys.maxsize, "max_time": None}
    training = config.training.model_copy(update=endless)
    with crew_of(int(config.training.workers)) as crew:
        trainer = trainer_of(config.model_copy(update={"training": training}), corpus, crew)
        start = time.perf_counter()
        try:
            for event in trainer.run(state, lambda: time.perf_counter() - start > TRIAL):
                if isinstance(event, Evaluated):
                    break
        except Divergence:
            pass  # that it diverges is for training to say
    progress = state.progress
    done = max(progress.step, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trial = Trial(
        steps=progress.step,
        seconds_per_step=(time.perf_counter() - start) / done,
        characters=progress.characters / done,
        memory=peak if sys.platform == "darwin" else 1024 * peak,
        machine_memory=physical_memory(),
    )
    return trial, trainer.batches.per_epoch


def _expected(config: Config, trial: Trial, scored: int) -> tuple[float, float]:
    """The steps and the seconds of a run; an evaluation costs a third of training on as much."""
    of_a_step = trial.seconds_per_step
    evaluations = config.evaluation.count * scored / max(trial.characters, 1) / 3
    budget = budget_of(config)
    steps = float("inf") if budget.max_steps is None else budget.max_steps
    seconds = (steps + evaluations) * of_a_step
    if budget.max_seconds is not None and budget.max_seconds < seconds:
        return budget.max_seconds / of_a_step, budget.max_seconds
    return steps, seconds


def inspect_checkpoint(path: str) -> ModelReport:
    """The report on a checkpoint; of a run directory on its best, or the next that is sound.

    Raises: InputError where there is none.
    """
    file = find_checkpoint(path)
    others: tuple[CheckpointState, ...] = ()
    if Path(path).is_dir():
        others = tuple(map(_state_of, RunFiles(Path(path)).candidates()))
        sound = [other.path for other in others if other.fault is None]
        if sound and str(file) not in sound:
            file = Path(sound[0])
    checkpoint, config = load_checkpoint(file)
    return ModelReport(
        path=str(file),
        size=file.stat().st_size,
        config=config.model_dump(mode="json"),
        weights=checkpoint.params.size,
        shapes={name: array.shape for name, array in checkpoint.params.named()},
        norms=norms_of(checkpoint.params)[1],
        alphabet=Alphabet(tuple(checkpoint.vocabulary.characters), None),
        progress=vars(checkpoint.state.progress),
        text_size=checkpoint.text_size,
        text_digest=checkpoint.text_digest,
        others=others,
    )


def _state_of(path: Path) -> CheckpointState:
    try:
        progress = load_checkpoint(path)[0].state.progress
    except InputError as error:
        return CheckpointState(str(path), None, None, str(error))
    return CheckpointState(str(path), progress.step, progress.best_validation_nats, None)
