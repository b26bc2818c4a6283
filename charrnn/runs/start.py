"""Sets up a run: a new one, or one that is resumed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from charrnn.arrays import Array
from charrnn.config.layers import changed
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import InputError, UsageError
from charrnn.model.initialization import inherit
from charrnn.runs.directory import RunDirectory
from charrnn.sampling.start import START, passages_before
from charrnn.setup.loading import Model, load_checkpoint
from charrnn.setup.own_text import (
    Announce,
    announce_own_text,
    own_text_paths,
    require_files,
)
from charrnn.setup.parent import load_parent, naming_file, require_same_network
from charrnn.setup.preparation import Prepared, prepare, text_difference
from charrnn.setup.wiring import (
    budget_of,
    first_params,
    optimizer_of,
    resolve,
    run_name,
    sequences_of,
    text_paths,
)
from charrnn.system.escaping import CONTINUED
from charrnn.text.corpus import Corpus
from charrnn.text.reading import LongerText
from charrnn.text.sources import STDIN
from charrnn.text.text import TextMark
from charrnn.text.windows import Windows
from charrnn.training.checkpoint import Checkpoint
from charrnn.training.state import Progress, TrainState
from charrnn.wording import call, pluralize

LIMITS = ("max_steps", "epochs", "max_time", "patience")
MANY_EPOCHS = 100
EXAMPLE_STEPS = 3000  # suggested to a run that has made none


@dataclass(frozen=True)
class Run:
    """Everything that training needs.

    Attributes:
        directory: The run directory, locked.
        config: The config on this machine.
        corpus: The training and validation parts of the text.
        batches: The windows to train on.
        scored: The ids (N,) of the validation part that evaluations score.
        test: The ids (N,) of the test text; empty if there is none.
        held_out: What the texts of `data.validation` and `data.test` are recognized by.
        state: The state to start from.
        notes: What the user should know about the text and the start of the run.
    """

    directory: RunDirectory
    config: ResolvedConfig
    corpus: Corpus
    batches: Windows
    scored: Array
    test: Array
    held_out: dict[str, TextMark]
    state: TrainState
    notes: tuple[str, ...]

    @cached_property
    def passages(self) -> Array | None:
        """Passages (T, B) before typical beginnings; None if texts begin from the zero state."""
        characters = self.corpus.vocabulary.characters
        if sequences_of(self.config).delimiter or START not in characters:
            return None
        return passages_before(self.corpus.training, characters.index(START))


def new_run(config: Config, out: str | None, parent: Model | None = None) -> Run:
    """Sets up a run from its first step; nothing is written before text and config fit.

    Args:
        config: The config of the run.
        out: The run directory; by default the first free one of runs/NAME-1, -2, …
        parent: The model that the config names as `model.init_from`; loaded if not given.

    Raises:
        InputError: The text or the parent is unusable.
        UsageError: The directory is not free, or the parent is another network.
    """
    settings = resolve(config)
    parent = parent or load_parent(settings)
    if parent:
        require_same_network(settings, parent)
        settings = naming_file(settings, parent)
    text = prepare(settings, parent.vocabulary if parent else None)
    notes = text.notes
    params = first_params(settings, len(text.corpus.vocabulary))
    if parent:
        inherit(params, parent.params)
        new = len(text.corpus.vocabulary) - len(parent.vocabulary)
        more = f", and {pluralize(new, 'new character')}" if new else ""
        notes += (f"starts from the weights of {parent.path}{more}.",)
    state = TrainState.initial(params, optimizer_of(settings), settings.training.batch_size)
    notes += _epoch_notes(settings, text.batches.per_epoch)
    directory = RunDirectory.create(out, run_name(settings))
    notes += directory.notes
    return _run(directory, settings, text, state, notes)


def resumed_run(
    path: str,
    text: list[str],
    changes: dict[str, Any],
    announce: Announce = lambda note: None,
) -> Run:
    """Sets up a run to resume from its last checkpoint.

    Args:
        path: The run directory.
        text: Where the text is now; empty if it has not moved.
        changes: Changes of the `training` settings LIMITS.
        announce: Called with a note before a text is read that only a checkpoint names.

    Raises:
        UsageError: There is no run, it is complete, or another setting would change.
        InputError: No checkpoint is usable, or the text is another one.
    """
    if fixed := [f"`training.{key}`" for key in changes if key not in LIMITS]:
        raise UsageError(
            f"{', '.join(fixed)} cannot change a run that is resumed.",
            "leave it out, or start a new run; only "
            f"{', '.join(f'`training.{key}`' for key in LIMITS)} may change.",
        )
    directory = RunDirectory.existing(path)
    try:
        return _resumed(directory, path, text, changes, announce)
    except BaseException:
        directory.release()
        raise


def _resumed(
    directory: RunDirectory,
    path: str,
    text: list[str],
    changes: dict[str, Any],
    announce: Announce,
) -> Run:
    checkpoint, config, notes = _newest_usable(directory)
    own = [] if text else own_text_paths(path, config)
    if STDIN in own:
        raise UsageError(
            f"{path} was trained from standard input.",
            "pipe the same text again: "
            + call("train", "-", resume=path, **{k: str(v) for k, v in changes.items() if v}),
        )
    held_out = [*config.data.validation, *config.data.test]
    require_files(path, held_out)
    announce_own_text(path, [*own, *held_out], announce)
    texts = {"text": text} if text else {}
    settings = resolve(changed(config, {"training": changes, "data": texts}))
    notes += _without_best(directory, checkpoint.state.progress)
    try:
        known = checkpoint.vocabulary if settings.model.init_from else None
        prepared = prepare(settings, known, checkpoint)
    except LongerText as error:
        raise InputError(
            f"{error} It is not the text that {path} was trained on.", _other_text(path)
        ) from None
    except InputError as error:
        hint = f"if the text has moved: {call('train', 'NEW/PATH', resume=path)}"
        if text:
            hint = f"is it the text that {path} was trained on, unchanged?"
        raise InputError(str(error), hint) from None
    _require_open(
        path, config, settings, checkpoint.state.progress, prepared.batches.per_epoch, notes
    )
    if differs := text_difference(prepared.corpus, checkpoint):
        raise InputError(
            f"{', '.join(text_paths(settings))} is not the text that {path} was trained on: "
            f"{differs}.",
            _other_text(path),
        )
    notes = directory.notes + notes + prepared.notes
    return _run(directory, settings, prepared, checkpoint.state, notes)


def _run(
    directory: RunDirectory,
    config: ResolvedConfig,
    text: Prepared,
    state: TrainState,
    notes: tuple[str, ...],
) -> Run:
    return Run(
        directory,
        config,
        text.corpus,
        text.batches,
        text.scored,
        text.test,
        text.held_out,
        state,
        notes,
    )


def _other_text(path: str) -> str:
    return (
        "give the original text with `resume`; or start from its weights on this one: "
        f"{call('train', 'TEXT', init_from=path)}"
    )


def _epoch_notes(config: Config, steps_per_epoch: int) -> tuple[str, ...]:
    """Whether the run sees a small text very often, or a large one not even once."""
    steps = budget_of(config, steps_per_epoch).max_steps
    if not steps or config.training.patience is not None:
        return ()
    epochs = steps / steps_per_epoch
    if epochs > MANY_EPOCHS:
        return (
            f"the run goes over this text {epochs:,.0f} times; a small text is memorized before "
            f"that. Train for fewer: `training.epochs={MANY_EPOCHS // 2}`; or until the held-out "
            "loss no longer improves: `training.patience=3`",
        )
    if epochs < 0.5:
        return (f"the run sees {100 * epochs:.2g} % of this text; to see all: `training.epochs=1`",)
    return ()


def _require_open(
    path: str,
    own: Config,
    config: Config,
    done: Progress,
    steps_per_epoch: int,
    notes: tuple[str, ...],
) -> None:
    """Raises UsageError if the run is complete, with the notes on it.

    own: the config that the run had; config: the one that it would be resumed with.
    """
    more = "".join(f"{CONTINUED}{note}" for note in notes)
    budget = budget_of(config, steps_per_epoch)
    if budget.out_of_patience(done):
        again = call("train", *config.data.text, init_from=path)
        raise UsageError(
            f"{path} is complete: its last {pluralize(done.stale, 'evaluation')} brought no "
            f"improvement, and its patience is used up.{more}",
            f"start a new run from its weights: {again}",
        )
    if budget.used(done) >= 1:
        larger = f"`training.max_steps={2 * done.step or EXAMPLE_STEPS}`"
        if config.training.epochs is not None:
            larger = f"`training.epochs={2 * done.step / steps_per_epoch:.3g}`"
        if budget.max_seconds is not None and done.seconds >= budget.max_seconds:
            larger = f"`training.max_time={2 * done.seconds:.0f}s`"
        made = f"{pluralize(done.step, 'step')} in {done.seconds:.0f} s"
        if budget_of(own, steps_per_epoch).used(done) < 1:
            raise UsageError(
                f"{path} has made {made}, which is no less than the total asked for.{more}",
                f"give a larger one, such as {larger}; or none, to keep the run's own.",
            )
        raise UsageError(
            f"{path} is complete: it made {made}, all of its budget.{more}",
            f"raise the total, such as {larger}",
        )


def _without_best(directory: RunDirectory, done: Progress) -> tuple[str, ...]:
    """Forgets the best score if its checkpoint is lost; returns a note on it."""
    if done.best_score is None:
        return ()
    try:
        load_checkpoint(directory.checkpoint("best"))
    except InputError as error:
        done.best_score = done.best_train_nats = done.best_validation_nats = None
        return (f"{error} The next evaluation counts as the best so far.",)
    return ()


def _newest_usable(directory: RunDirectory) -> tuple[Checkpoint, Config, tuple[str, ...]]:
    """The checkpoint to resume from, its config, and notes on newer ones that are damaged."""
    notes: tuple[str, ...] = ()
    for path in directory.candidates():
        try:
            checkpoint, config = load_checkpoint(path)
        except InputError as error:
            notes += (str(error),)
            continue
        if path != (last := directory.checkpoint("last")):
            notes += (f"resuming from {path.name} instead of {last.name}.",)
        return checkpoint, config, notes
    raise InputError(notes[0], "none of the run's checkpoints is usable; start a new run.")
