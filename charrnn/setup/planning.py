"""Plans a run: measures the speed of this machine, and completes its config."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from charrnn.config.dotted import keys_of, nested
from charrnn.config.layers import changed, value_of
from charrnn.config.plan_table import plan_table
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.results import Plan, Trial
from charrnn.setup.parent import Parent
from charrnn.setup.plan_rule import LIMITS, Task, choose
from charrnn.setup.preparation import Prepared, ReadText, in_windows
from charrnn.setup.trial import first_state, trial
from charrnn.setup.wiring import resolve, sequences_of
from charrnn.training.state import TrainState

Try = Callable[[ResolvedConfig, Prepared, TrainState, float], Trial]

TRIALS = 2  # of the network for a nominal speed, then of that for the measured one
TRIAL_SECONDS = 0.25


def plan_run(
    config: Config,
    given: Collection[str],
    parent: Parent | None,
    text: ReadText,
    try_steps: Try = trial,
) -> tuple[Config, Plan]:
    """Chooses the settings that are not given.

    Args:
        config: The config, with the default values of what is not given.
        given: The dotted keys of what is given.
        parent: The model that the run starts from, which determines its own settings.
        text: The text to train on.
        try_steps: Measures the speed of a network.

    Returns:
        The config to train with, and what was chosen.

    Raises:
        InputError: A step of the network that was chosen needs more memory than there is.
    """
    table, task, rate = plan_table(), _task(config, given, parent, text), None
    if config.training.max_time is not None:
        for _ in range(TRIALS):
            tried = planned(config, task.given, choose(table, task, rate))
            rate = _rate(tried, text, try_steps)
    plan = choose(table, task, rate)
    return planned(config, task.given, plan), plan


def planned(config: Config, given: Mapping[str, Any], plan: Plan) -> Config:
    """The config with what was chosen.

    Args:
        config: The config.
        given: What is given, by dotted keys. Another optimizer begins with its own default values,
            so what is given of it is set again.
        plan: What was chosen.
    """
    kept = {key: value for key, value in given.items() if key.startswith("optimizer.")}
    return changed(config, nested(kept | plan.settings))


def _task(config: Config, given: Collection[str], parent: Parent | None, text: ReadText) -> Task:
    keys = {*given, *(keys_of(parent.settings) if parent else ())}
    values = {key: value_of(config, key) for key in keys}
    limits = [values.get(key) for key in LIMITS]
    if limits == [None] * len(LIMITS) and "training.epochs" in values:
        values["training.max_steps"] = config.training.max_steps  # without passes it is the limit
    return Task(
        characters=len(text.corpus.training),
        alphabet_size=len(text.corpus.vocabulary),
        per_step=_characters_per_step(config, text),
        max_batch_size=_max_batch_size(config, text),
        given=values,
        trained=parent is not None,
    )


def _characters_per_step(config: Config, text: ReadText) -> Callable[[float], float]:
    training, ids = config.training, text.corpus.training
    sequences = sequences_of(config)
    if training.bptt == "full" and not sequences.never_truncated:
        return lambda batch_size: len(ids)
    if sequences.never_truncated:
        lines = sequences.training_windows(ids, 1, None, None, training.seed).per_epoch
        return lambda batch_size: batch_size * len(ids) / lines
    return lambda batch_size: batch_size * (training.stride or training.window)


def _max_batch_size(config: Config, text: ReadText) -> int:
    """The most lanes that are as long as a window."""
    training, targets = config.training, len(text.corpus.training) - 1
    if sequences_of(config).never_truncated or training.bptt == "full":
        return max(targets, 1)
    return max(targets // training.window, 1)


def _rate(config: Config, text: ReadText, try_steps: Try) -> float:
    """The work that is done here in a second: weights times characters."""
    settings = resolve(config)
    state = first_state(settings, len(text.corpus.vocabulary))
    measured = try_steps(settings, in_windows(settings, text), state, TRIAL_SECONDS)
    return state.params.size * measured.characters / measured.seconds_per_step
