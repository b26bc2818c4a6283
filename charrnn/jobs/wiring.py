"""From settings to the objects that they describe."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.model.activations import ACTIVATIONS, Activation
from charrnn.model.bptt import Objective, bptt
from charrnn.model.initialization import initial_params
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import make_clip
from charrnn.optim.optimizers import Optimizer, make_optimizer
from charrnn.optim.schedules import make_schedule
from charrnn.resources import corpus_path
from charrnn.text.batches import Batches
from charrnn.text.corpus import Corpus
from charrnn.text.reading import STDIN
from charrnn.training.evaluation import evaluate
from charrnn.training.parallel import choose_workers
from charrnn.training.trainer import Budget, Trainer


def text_paths(config: Config) -> list[str]:
    """The files of the config's text, or the embedded corpus."""
    return config.data.text or [str(corpus_path())]


def resolved(config: Config) -> Config:
    """The config with text that is found from every folder, and a number of workers."""
    data, training = config.data, config.training
    paths = [path if path == STDIN else str(Path(path).absolute()) for path in data.text]
    workers = choose_workers(training.workers, training.batch_size)
    return config.model_copy(
        update={
            "data": data.model_copy(update={"text": paths}),
            "training": training.model_copy(update={"workers": workers}),
        }
    )


def run_name(config: Config) -> str:
    """What a run's directory is called after: its first text."""
    first = text_paths(config)[0]
    return "stdin" if first == STDIN else Path(first).stem


def activation_of(config: Config) -> Activation:
    """The hidden activation."""
    return ACTIVATIONS[config.model.activation]


def first_params(config: Config, alphabet_size: int) -> Params:
    """The weights before training, drawn from the config's seed."""
    model, weights = config.model, config.model.initialization
    return initial_params(
        np.random.default_rng([config.training.seed, 0]),
        model.hidden_size,
        alphabet_size,
        bias=model.bias,
        input=weights.input,
        recurrent=weights.recurrent,
        output=weights.output,
        recurrent_gain=weights.recurrent_gain,
        dtype=config.training.precision,
    )


def optimizer_of(config: Config) -> Optimizer:
    """The optimizer; its learning rate is the trainer's."""
    return make_optimizer(**config.optimizer.model_dump(exclude={"learning_rate"}))


def objective_maker(config: Config) -> Callable[[], Objective]:
    """Makes objectives with a workspace of their own."""
    reduction = config.training.reduction

    def make() -> Objective:
        return partial(
            bptt, activation=activation_of(config), reduction=reduction, workspace=Workspace()
        )

    return make


def budget_of(config: Config) -> Budget:
    """When the run ends.

    Raises: UsageError where it never would.
    """
    training = config.training
    if training.max_steps is None and training.max_time is None:
        raise UsageError(
            "training.max_steps and training.max_time are both null: the run would never end.",
            "set one of them, such as --max-time 3m",
        )
    return Budget(training.max_steps, training.max_time)


def trainer_of(
    config: Config,
    corpus: Corpus,
    objective: Objective,
    clock: Callable[[], float] = time.perf_counter,
) -> Trainer:
    """The training loop for this text."""
    training = config.training
    held_out = corpus.validation[: config.evaluation.max_characters]

    def validation_nats(params: Params) -> float | None:
        if not len(held_out):
            return None
        return evaluate(params, held_out, activation_of(config)).nats_per_character

    return Trainer(
        objective=objective,
        optimizer=optimizer_of(config),
        clip=make_clip(training.clip.by, training.clip.threshold),
        schedule=make_schedule(**config.schedule.model_dump()),
        learning_rate=config.optimizer.learning_rate,
        batches=Batches(corpus.training, training.batch_size, training.window),
        budget=budget_of(config),
        evaluate=validation_nats,
        evaluations=config.evaluation.count,
        loss_is_mean=training.reduction == "mean",
        clock=clock,
    )
