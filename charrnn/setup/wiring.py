"""Builds the objects that a config describes."""

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from charrnn.arrays import Array
from charrnn.config.layers import check_config
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import UsageError
from charrnn.model.activations import ACTIVATIONS, Activation
from charrnn.model.bptt import Objective, bptt, least_memory
from charrnn.model.dropout import Dropout
from charrnn.model.initialization import initial_params
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import make_clip
from charrnn.optim.optimizer import Optimizer
from charrnn.optim.optimizers import make_optimizer
from charrnn.optim.schedules import make_schedule
from charrnn.setup.backend import backend_of, compiled_adam
from charrnn.setup.named_texts import is_name, located
from charrnn.setup.paths import require_texts
from charrnn.setup.sharing import workers_of
from charrnn.system.resources import CORPUS_NAME
from charrnn.text.corpus import Corpus
from charrnn.text.decoding import Decoding
from charrnn.text.sequences import SEQUENCES, Sequences
from charrnn.text.sources import STDIN, Selection
from charrnn.text.windows import Windows
from charrnn.trackers.registry import require_trackers
from charrnn.training.budget import Budget
from charrnn.training.evaluation import Scorer
from charrnn.training.parallel import divided, parallel
from charrnn.training.trainer import Trainer
from charrnn.training.workers import Workers
from charrnn.wording import pluralize

LOG = logging.getLogger(__name__)


def text_paths(config: Config) -> list[str]:
    """The files of the config's text, by default the bundled corpus; see `located`."""
    return located(config.data.text or [CORPUS_NAME])


def held_out_paths(config: Config) -> dict[str, list[str]]:
    """The files of the config's validation and test texts, as far as it has them."""
    paths = {"validation": config.data.validation, "test": config.data.test}
    return {name: located(given) for name, given in paths.items() if given}


def resolve(config: Config) -> ResolvedConfig:
    """The config with absolute paths, except for texts by name, and a number of workers.

    Raises:
        UsageError: A path of the text is a checkpoint, a run or a config, the paths are too long,
            the library of a tracker is missing, or there are more processes than lanes.
    """
    require_texts(config.data.text, to_train_on=True)
    require_trackers(config.logging.sinks)
    data, training = config.data, config.training
    for name in ("validation", "test"):
        if STDIN in getattr(data, name):
            raise UsageError(f"`data.{name}=-` is standard input.", "name a file.")
        require_texts(getattr(data, name))

    def absolute(paths: list[str]) -> list[str]:
        return [
            path if path == STDIN or is_name(path) else str(Path(path).absolute()) for path in paths
        ]

    workers = workers_of(config)
    LOG.info(f"{pluralize(workers, 'worker')} for {pluralize(training.batch_size, 'lane')}")
    values = config.model_dump()
    for name in ("init_from", "vocabulary"):
        if path := values["model"][name]:
            values["model"][name] = str(Path(path).absolute())
    for name in ("text", "validation", "test"):
        values["data"][name] = absolute(getattr(data, name))
    values["training"]["workers"] = workers
    check_config(values)  # absolute paths are longer
    return ResolvedConfig.model_validate(values)


def run_name(config: Config) -> str:
    """The name of a run, from its first text."""
    first = text_paths(config)[0]
    if first == STDIN:
        return "stdin"
    path = Path(os.path.normpath(first))
    return (path.name if path.is_dir() else path.stem) or "text"


def decoding_of(config: Config) -> Decoding:
    """How the config's text is decoded, and every other text for the same model."""
    return Decoding(config.data.encoding, config.data.errors, config.data.newlines)


def selection_of(config: Config) -> Selection:
    """Which files of directories are read as text."""
    return Selection(tuple(config.data.include), tuple(config.data.exclude))


def sequences_of(config: Config) -> Sequences:
    """How the text is read as sequences."""
    return SEQUENCES[config.data.sequences]


def activation_of(config: Config) -> Activation:
    """The hidden activation."""
    return ACTIVATIONS[config.model.activation]


def dropout_of(config: Config) -> Dropout | None:
    """Dropout's random masks; None without dropout."""
    rate = config.model.dropout
    return Dropout(rate, config.training.seed) if rate else None


def first_params(config: Config, alphabet_size: int) -> Params:
    """The weights before training, drawn from the config's seed."""
    model, weights = config.model, config.model.initialization
    return initial_params(
        np.random.default_rng([config.training.seed, 0]),
        model.hidden_size,
        alphabet_size,
        layers=model.layers,
        bias=model.bias,
        input=weights.input,
        recurrent=weights.recurrent,
        output=weights.output,
        recurrent_gain=weights.recurrent_gain,
        dtype=config.training.precision,
    )


def optimizer_of(config: Config, compiled: bool = False) -> Optimizer:
    """The optimizer; its learning rate is the trainer's.

    compiled: whether its update may be compiled, where the config says so.
    """
    settings = config.optimizer.model_dump(exclude={"learning_rate"})
    if compiled and config.optimizer.name in ("adam", "adamw"):
        settings["compiled"] = compiled_adam(config)
    return make_optimizer(averaging=config.training.averaging, **settings)


def objective_maker(config: Config) -> Callable[[], Objective]:
    """A function that makes objectives, each with its own workspace."""

    def make() -> Objective:
        return partial(
            bptt,
            activation=activation_of(config),
            reduction=config.training.reduction,
            workspace=Workspace(),
            segment=least_memory if config.training.memory == "recompute" else None,
            dropout=dropout_of(config),
            backend=backend_of(config),
        )

    return make


def objective_of(config: Config, workers: Workers) -> Objective:
    """The objective of a training step, its lanes split among threads, and processes if several."""
    objective = parallel(objective_maker(config), workers)
    if workers.ranks is None:
        return objective
    return divided(objective, workers.ranks, config.training.batch_size)


def batches_of(config: Config, ids: Array) -> Windows:
    """The windows to train on.

    Raises:
        InputError: The text is too short.
    """
    training = config.training
    full = training.bptt == "full"
    window, stride = (None, None) if full else (training.window, training.stride)
    return sequences_of(config).training_windows(
        ids, training.batch_size, window, stride, training.seed
    )


def scored_ids(config: Config, corpus: Corpus) -> Array:
    """The ids (N,) of the validation text that evaluations score."""
    return sequences_of(config).head(corpus.validation, config.evaluation.max_characters)


def budget_of(config: Config, steps_per_epoch: int) -> Budget:
    """When the run ends."""
    training = config.training
    limits = [training.max_steps] if training.max_steps is not None else []
    if training.epochs is not None:
        limits.append(max(round(training.epochs * steps_per_epoch), 1))
    return Budget(min(limits, default=None), training.max_time, training.patience)


def scorer_of(config: Config, ids: Array, workers: Workers) -> Callable[[Params], float | None]:
    """The loss of a model on a text (N,), in nats per character; None if it is empty."""
    windows, score = sequences_of(config).scoring_windows, Scorer(activation_of(config), workers)

    def nats_per_character(params: Params) -> float | None:
        return score(params, windows(ids)).nats_per_character if len(ids) else None

    return nats_per_character


def trainer_of(
    config: Config,
    batches: Windows,
    scored: Array,
    workers: Workers,
    clock: Callable[[], float] = time.perf_counter,
) -> Trainer:
    """The training loop over these windows, with the ids (N,) that evaluations score."""
    training, optimizer = config.training, optimizer_of(config, compiled=True)
    return Trainer(
        objective=objective_of(config, workers),
        update=partial(optimizer.update, for_each_slice=workers.for_each_slice),
        clip=make_clip(training.clip.by, training.clip.threshold, workers.for_each_slice),
        schedule=make_schedule(**config.schedule.model_dump()),
        learning_rate=config.optimizer.learning_rate,
        batches=batches,
        budget=budget_of(config, batches.per_epoch),
        evaluate=scorer_of(config, scored, workers),
        evaluations=config.evaluation.count,
        loss_is_mean=training.reduction == "mean",
        clock=clock,
    )
