"""Everything that a run needs before its first step: new, or from where it stopped."""

from dataclasses import dataclass
from shlex import quote
from typing import Any

from charrnn.config.layers import changed
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.model.initialization import inherit
from charrnn.runs.directory import RunDirectory
from charrnn.setup.corpora import corpus_of, difference
from charrnn.setup.loading import load_checkpoint, own_text
from charrnn.setup.parent import parent_of
from charrnn.setup.wiring import (
    budget_of,
    first_params,
    optimizer_of,
    resolved,
    run_name,
    text_paths,
)
from charrnn.text.corpus import Corpus
from charrnn.text.sources import STDIN
from charrnn.training.checkpoint import Checkpoint
from charrnn.training.state import Progress, TrainState
from charrnn.wording import pluralize


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
    config = resolved(config)
    parent = parent_of(config)
    corpus, remarks = corpus_of(config, parent.vocabulary if parent else None)
    params = first_params(config, len(corpus.vocabulary))
    if parent:
        inherit(params, parent.params)
        new = len(corpus.vocabulary) - len(parent.vocabulary)
        more = f", and {pluralize(new, 'new character')}" if new else ""
        remarks += (f"begins with the weights of {parent.path}{more}.",)
    state = TrainState.initial(params, optimizer_of(config), config.training.batch_size)
    directory = RunDirectory.create(out, run_name(config))
    return Run(directory, config, corpus, state, remarks)


def resumed_run(path: str, text: list[str], changes: dict[str, Any]) -> Run:
    """A run that goes on from its last checkpoint.

    text: where the text is now, if it was moved. changes: of `training`, such as max_steps.
    Raises: UsageError where there is no run or its budget is used; InputError where the text is
    another one.
    """
    directory = RunDirectory.existing(path)
    try:
        return _resumed(directory, path, text, changes)
    except BaseException:
        directory.release()
        raise


def _resumed(directory: RunDirectory, path: str, text: list[str], changes: dict[str, Any]) -> Run:
    checkpoint, config, notes = _newest_sound(directory)
    if not text and STDIN in own_text(path, config):
        raise UsageError(
            f"{path} was trained from standard input.",
            f"pipe the same text once more: charrnn train - --resume {quote(path)}",
        )
    texts = {"text": text} if text else {}
    config = resolved(changed(config, {"training": changes, "data": texts}))
    notes += _without_best(directory, checkpoint.state.progress)
    _require_open(path, config, checkpoint.state.progress, notes)
    try:
        known = checkpoint.vocabulary if config.model.init_from else None
        corpus, remarks = corpus_of(config, known)
    except InputError as error:
        hint = f"if the text has moved: charrnn train NEW/PATH --resume {quote(path)}"
        if text:
            hint = f"is it the text that {path} was trained on, unchanged?"
        raise InputError(str(error), hint) from None
    if differs := difference(corpus, checkpoint):
        raise InputError(
            f"{', '.join(text_paths(config))} is not the text that {path} was trained on: "
            f"{differs}.",
            "name the original text beside --resume; or train on this one from there: "
            f"charrnn train TEXT --init-from {quote(path)}",
        )
    return Run(directory, config, corpus, checkpoint.state, notes + remarks)


def _require_open(path: str, config: Config, done: Progress, notes: tuple[str, ...]) -> None:
    """Raises UsageError where the run is complete, with what else there is to say of it."""
    more = "".join(f"\n       {note}" for note in notes)
    budget = budget_of(config)
    if budget.out_of_patience(done):
        texts = " ".join(map(quote, config.data.text))
        raise UsageError(
            f"{path} is complete: its last {pluralize(done.stale, 'evaluation')} brought nothing "
            f"better, which is all of its patience.{more}",
            f"begin a new run with its model: charrnn train {texts} --init-from {quote(path)}",
        )
    if budget.used(done) >= 1:
        larger = f"--max-steps {2 * done.step}"
        if budget.max_seconds is not None and done.seconds >= budget.max_seconds:
            larger = f"--max-time {2 * done.seconds:.0f}s"
        raise UsageError(
            f"{path} has made {pluralize(done.step, 'step')} in {done.seconds:.0f} s, all of its "
            f"budget.{more}",
            f"give it a larger total, such as {larger}",
        )


def _without_best(directory: RunDirectory, done: Progress) -> tuple[str, ...]:
    """Forgets the best score where the checkpoint that had it is lost, and says so."""
    if done.best_score is None:
        return ()
    try:
        load_checkpoint(directory.checkpoint("best"))
    except InputError as error:
        done.best_score = done.best_train_nats = done.best_validation_nats = None
        return (f"{error} The next evaluation counts as the best so far.",)
    return ()


def _newest_sound(directory: RunDirectory) -> tuple[Checkpoint, Config, tuple[str, ...]]:
    """The checkpoint to go on from, its config, and what is wrong with those passed over."""
    notes: tuple[str, ...] = ()
    for path in directory.candidates():
        try:
            checkpoint, config = load_checkpoint(path)
        except InputError as error:
            notes += (str(error),)
            continue
        if path != (last := directory.checkpoint("last")):
            notes += (f"going on from {path.name} instead of {last.name}.",)
        return checkpoint, config, notes
    raise InputError(notes[0], "none of the run's checkpoints is sound; start a new run.")
