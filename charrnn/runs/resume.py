"""Sets up a run that is resumed."""

from dataclasses import replace
from itertools import chain
from typing import Any

from charrnn.config.layers import changed
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.keywords import LIMITS
from charrnn.runs.directory import RunDirectory
from charrnn.runs.memory import InMemory
from charrnn.runs.start import Run, assembled
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.own_text import Announce, AnotherText, announce_own_text, named
from charrnn.setup.preparation import HeldOutError, prepare, text_difference
from charrnn.setup.wiring import budget_of, held_out_paths, resolve, text_paths
from charrnn.system.escaping import CONTINUED
from charrnn.text.sources import STDIN, String
from charrnn.training.checkpoint import Checkpoint
from charrnn.training.state import Progress
from charrnn.wording import call, pluralize


class Complete(UsageError):
    """A run has used all of its budget."""


CHANGEABLE = (*LIMITS, "patience")
EXAMPLE_STEPS = 3000  # suggested to a run that has made none


def resumed_run(
    path: str,
    text: list[str] | String,
    changes: dict[str, Any],
    announce: Announce = lambda note: None,
) -> Run:
    """Sets up a run to resume from its last checkpoint.

    Args:
        path: The run directory.
        text: Where the text is now, empty if it has not moved; or the text itself.
        changes: Changes of the `training` settings CHANGEABLE.
        announce: Called with a note before a text is read that only a checkpoint names.

    Raises:
        Complete: The run is complete.
        UsageError: There is no run, or another setting would change.
        InputError: No checkpoint is usable, or the text is another one.
    """
    if fixed := [f"`training.{key}`" for key in changes if key not in CHANGEABLE]:
        raise UsageError(
            f"{', '.join(fixed)} cannot change a run that is resumed.",
            "leave it out, or start a new run; only "
            f"{', '.join(f'`training.{key}`' for key in CHANGEABLE)} may change.",
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
    text: list[str] | String,
    changes: dict[str, Any],
    announce: Announce,
) -> Run:
    checkpoint, config, notes = _newest_usable(directory)
    own = [] if text else text_paths(config)
    again = call("train", "-", resume=path, **{k: str(v) for k, v in changes.items() if v})
    announce_own_text(
        path,
        [*own, *chain(*held_out_paths(config).values())],
        announce,
        f"pipe the same text again: {again}",
    )
    string = text if isinstance(text, String) else None
    paths = [STDIN] if isinstance(text, String) else text
    texts = {"text": paths} if paths else {}
    settings = resolve(changed(config, {"training": changes, "data": texts}))
    notes += _without_best(directory, checkpoint.state.progress)
    try:
        known = checkpoint.vocabulary if settings.model.init_from else None
        prepared = prepare(settings, known, checkpoint, string)
    except HeldOutError:
        raise
    except AnotherText as error:
        raise InputError(str(error), _other_text(path)) from None
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
            f"{named(text_paths(settings))} is not the text that {path} was trained on: {differs}.",
            _other_text(path),
        )
    notes = directory.notes + notes + prepared.notes
    return assembled(directory, settings, prepared, checkpoint.state, notes)


def resumed_in_memory(run: Run, changes: dict[str, Any]) -> Run:
    """A run that is kept in memory, to train further; it stays as it is.

    Args:
        run: The run.
        changes: Changes of the `training` settings CHANGEABLE.

    Raises:
        Complete: It is complete.
    """
    directory = run.directory
    assert isinstance(directory, InMemory)
    settings = resolve(changed(run.config, {"training": changes}))
    state = directory.load("last")[0].state
    _require_open("the run", run.config, settings, state.progress, run.batches.per_epoch, ())
    return replace(
        run, directory=directory.copy(), config=settings, state=state, notes=(), plan=None
    )


def _other_text(path: str) -> str:
    return (
        "give the original text with `resume`; or start from its weights on this one: "
        f"{call('train', 'TEXT', init_from=path)}"
    )


def _require_open(
    path: str,
    own: Config,
    config: Config,
    done: Progress,
    steps_per_epoch: int,
    notes: tuple[str, ...],
) -> None:
    """Raises Complete if the run is complete, with the notes on it.

    own: the config that the run had; config: the one that it would be resumed with.
    """
    more = "".join(f"{CONTINUED}{note}" for note in notes)
    budget = budget_of(config, steps_per_epoch)
    if budget.out_of_patience(done):
        again = call("train", *config.data.text, init_from=path)
        raise Complete(
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
            raise Complete(
                f"{path} has made {made}, which is no less than the total asked for.{more}",
                f"give a larger one, such as {larger}; or none, to keep the run's own.",
            )
        raise Complete(
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
