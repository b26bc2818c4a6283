"""Trains for a moment, to measure the speed and the memory of a network on this machine."""

import sys
import time

from charrnn.config.settings import ResolvedConfig
from charrnn.events import Evaluated
from charrnn.results import Trial
from charrnn.setup.preparation import Prepared
from charrnn.setup.wiring import first_params, optimizer_of, trainer_of
from charrnn.system.machine import peak_memory, physical_memory
from charrnn.training.state import TrainState
from charrnn.training.trainer import Divergence
from charrnn.training.workers import worker_threads

MAX_STEPS = 10_000  # so that a trial ends even if the clock stands still
SHORTEST = 1e-9  # seconds, of a trial by a clock that stands still


def first_state(config: ResolvedConfig, alphabet_size: int) -> TrainState:
    """The state before training."""
    return TrainState.initial(
        first_params(config, alphabet_size), optimizer_of(config), config.training.batch_size
    )


def trial(config: ResolvedConfig, text: Prepared, state: TrainState, seconds: float) -> Trial:
    """Trains for some seconds, at least one step.

    Args:
        config: The config of the run, whose limits do not matter.
        text: Its text.
        state: The state to start from, which is changed.
        seconds: The least duration.
    """
    endless = {"max_steps": sys.maxsize, "epochs": None, "max_time": None}
    training = config.training.model_copy(update=endless)
    with worker_threads(config.training.workers) as workers:
        trainer = trainer_of(
            config.model_copy(update={"training": training}), text.batches, text.scored, workers
        )
        start = time.perf_counter()

        def enough() -> bool:
            long_enough = time.perf_counter() - start > seconds
            return long_enough or state.progress.step >= MAX_STEPS

        try:
            for event in trainer.run(state, enough):
                if isinstance(event, Evaluated):
                    break
        except Divergence:
            pass  # training will report it
    progress = state.progress
    done = max(progress.step, 1)
    return Trial(
        steps=progress.step,
        seconds_per_step=max(time.perf_counter() - start, SHORTEST) / done,
        characters=progress.characters / done,
        memory=peak_memory(),
        machine_memory=physical_memory(),
    )
