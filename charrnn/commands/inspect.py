"""Describes a text and the cost of training on it, or a checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np

from charrnn.commands.arguments import check_arguments
from charrnn.config.dotted import Layer
from charrnn.config.layers import changes, keys_given
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.keywords import as_layer
from charrnn.optim.clipping import norms_of
from charrnn.results import Alphabet, CheckpointSummary, ModelReport, TextReport, Trial
from charrnn.setup.loading import load_checkpoint
from charrnn.setup.parent import configure, notes_on, require_same_network
from charrnn.setup.paths import Kind, find_checkpoint, instead, kind_of
from charrnn.setup.planning import plan_run
from charrnn.setup.preparation import in_windows, read_texts
from charrnn.setup.run_files import RunFiles
from charrnn.setup.sharing import idle_notes, sharing_notes
from charrnn.setup.trial import first_state, trial
from charrnn.setup.wiring import (
    budget_of,
    decoding_of,
    resolve,
    text_paths,
)
from charrnn.system.escaping import CONTINUED
from charrnn.text.corpus import Corpus
from charrnn.text.lines import NEWLINE
from charrnn.text.sources import STDIN, String
from charrnn.text.text import Text
from charrnn.wording import setting

TRIAL_SECONDS = 2.0  # of training steps, from which the time of a run is estimated


def inspect(
    paths: list[str] | String,
    config: str | Layer | None,
    assignments: list[str],
    keywords: dict[str, Any],
) -> tuple[TextReport | tuple[ModelReport, ...], tuple[str, ...]]:
    """Describes checkpoints, or a text and the cost of training on it.

    Args:
        paths: Checkpoints and run directories; or texts, none for the config's, or a text itself;
            or a built-in config.
        config: A YAML file, the name of a built-in config, or plain values; None to choose what is
            not given for the text.
        assignments: Changes of the config, as `key.path=value`.
        keywords: Changes of the config by their short names, KEYWORDS.

    Returns:
        The reports on checkpoints or the one on a text, and notes on the text.

    Raises:
        UsageError: Some paths are checkpoints and some are not, or these would get another config.
        InputError: A text or a checkpoint is unusable.
    """
    if isinstance(paths, String):
        flags = as_layer(keywords | {"text": [STDIN]})
        return inspect_text(config, assignments, flags, paths)
    if are_checkpoints(paths):
        given = ["`config`"] * (config is not None) + changes(assignments, as_layer(keywords))
        if given:
            raise UsageError(
                f"{paths[0]} is a checkpoint and has its own config.",
                f"leave out {', '.join(given)}.",
            )
        return tuple(map(inspect_checkpoint, paths)), ()
    if len(paths) == 1 and config is None and is_built_in(paths[0]):
        config, paths = paths[0], []
    return inspect_text(
        config, assignments, as_layer(keywords | ({"text": paths} if paths else {}))
    )


def are_checkpoints(paths: list[str]) -> bool:
    """Whether these are checkpoints or runs, rather than texts.

    Raises:
        UsageError: Some are and some are not, or one is a folder of runs or a sweep.
    """
    kinds = {path: kind_of(path) for path in paths}
    models = [path for path, kind in kinds.items() if kind in (Kind.RUN, Kind.CHECKPOINT)]
    others = [path for path in paths if path not in models]
    for path in others:
        if (kind := kinds[path]) in (Kind.RUNS, Kind.SWEEP, Kind.CHECKPOINTS):
            raise UsageError(f"{path} is {kind.value}.", instead(path, kind))
    if models and others:
        raise UsageError(
            f"{models[0]} is {kinds[models[0]].value}, but {others[0]} is not.",
            "inspect checkpoints or texts, not both at once.",
        )
    return bool(models)


def is_built_in(path: str) -> bool:
    """Whether this is the name of a built-in config and not a file."""
    return kind_of(path) is Kind.CONFIG and not Path(path).exists()


def inspect_text(
    config_path: str | Layer | None,
    assignments: list[str],
    flags: Layer,
    string: String | None = None,
) -> tuple[TextReport, tuple[str, ...]]:
    """Describes the text of a config and the cost of training on it.

    Nothing is written but the ids of a large text.

    Args:
        config_path: A YAML file, the name of a built-in config, or plain values; None to choose
            what is not given for the text.
        assignments: Changes of the config, as `key.path=value`.
        flags: Changes of the config, as a layer.
        string: The text, in place of standard input.

    Returns:
        The report, and notes on the text.

    Raises:
        UsageError, InputError: As training would before its first step.
    """
    check_arguments(config_path, assignments, flags.get("data", {}).get("text", []))
    unresolved, parent = configure(config_path, assignments, flags)
    config, plan = resolve(unresolved), None
    if parent:
        require_same_network(config, parent)
    read = read_texts(config, parent.vocabulary if parent else None, string=string)
    if config_path is None:
        planned, plan = plan_run(unresolved, keys_given(assignments, flags), parent, read)
        config = resolve(planned)
    text = in_windows(config, read)
    corpus, scored = text.corpus, len(text.scored)
    alphabet = _alphabet(corpus)
    state = first_state(config, len(corpus.vocabulary))
    measured = trial(config, text, state, TRIAL_SECONDS)
    steps, seconds = _expected(config, measured, scored, text.batches.per_epoch)
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
        layers=config.model.layers,
        activation=config.model.activation,
        weights=state.params.size,
        workers=config.training.workers,
        steps_per_epoch=text.batches.per_epoch,
        steps=steps,
        seconds=seconds,
        trial=measured,
        plan=plan,
    )
    notes = text.notes + sharing_notes(config) + idle_notes(config)
    return report, notes + (notes_on(parent, config) if parent else ())


def _alphabet(corpus: Corpus) -> Alphabet:
    known = corpus.vocabulary.characters
    counts = np.array(corpus.counts) + Text(known, corpus.validation).counts()
    order = np.argsort(-counts, kind="stable")
    characters = tuple(known[id] for id in order)
    return Alphabet(characters, tuple(counts[order].tolist()))


def _expected(
    config: Config, trial: Trial, scored: int, steps_per_epoch: int
) -> tuple[float, float]:
    """The steps and seconds of a run; an evaluation takes a third of training on the same text."""
    of_a_step = trial.seconds_per_step
    evaluations = config.evaluation.count * scored / max(trial.characters, 1) / 3
    budget = budget_of(config, steps_per_epoch)
    steps = float("inf") if budget.max_steps is None else budget.max_steps
    seconds = (steps + evaluations) * of_a_step if steps else 0.0
    if budget.max_seconds is not None and budget.max_seconds < seconds:
        return budget.max_seconds / of_a_step, budget.max_seconds
    return steps, seconds


def inspect_checkpoint(path: str) -> ModelReport:
    """Describes a checkpoint; of a run directory, the best one that is usable.

    Raises:
        InputError: No checkpoint is usable.
    """
    file = find_checkpoint(path)
    others: tuple[CheckpointSummary, ...] = ()
    if Path(path).is_dir():
        others = tuple(map(_summary_of, RunFiles(Path(path)).candidates()))
        sound = [other.path for other in others if other.fault is None]
        if not sound:
            faults = "".join(f"{CONTINUED}{other.fault}" for other in others)
            own = setting("config", str(RunFiles(Path(path)).config))
            raise InputError(
                f"{path} has no usable checkpoint:{faults}",
                f"start a new run, with the config of this one: {own}",
            )
        if str(file) not in sound:
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


def _summary_of(path: Path) -> CheckpointSummary:
    try:
        progress = load_checkpoint(path)[0].state.progress
    except InputError as error:
        return CheckpointSummary(str(path), None, None, str(error))
    return CheckpointSummary(str(path), progress.step, progress.best_validation_nats, None)
