"""Trains for a moment, to measure the speed and the memory of a network on this machine."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from charrnn.config.settings import ResolvedConfig
from charrnn.events import Evaluated
from charrnn.results import Trial
from charrnn.setup.preparation import Prepared
from charrnn.setup.wiring import first_params, optimizer_of, trainer_of
from charrnn.system.machine import peak_memory, physical_memory
from charrnn.system.ranks import Ranks
from charrnn.text.windows import Windows
from charrnn.training.state import TrainState
from charrnn.training.trainer import Divergence, Trainer
from charrnn.training.workers import worker_threads
from charrnn.window import Window

MAX_STEPS = 10_000  # so that a trial ends even if the clock stands still
SHORTEST = 1e-9  # seconds, of a trial by a clock that stands still


def first_state(config: ResolvedConfig, alphabet_size: int) -> TrainState:
    """The state before training."""
    return TrainState.initial(
        first_params(config, alphabet_size), optimizer_of(config), config.training.batch_size
    )


@dataclass(frozen=True)
class RepeatedWindows:
    """Some windows, over and over: enough text for a trial.

    Attributes:
        windows: The windows.
    """

    windows: Sequence[Window]

    @property
    def per_epoch(self) -> int:
        """The number of windows."""
        return len(self.windows)

    @property
    def largest(self) -> tuple[int, int]:
        """T and B of the largest window."""
        T, B = max(
            (window.x.shape for window in self.windows), key=lambda shape: shape[0] * shape[1]
        )
        return T, B

    def __getitem__(self, number: int) -> Window:
        return self.windows[number % len(self.windows)]


def first_windows(batches: Windows, count: int) -> RepeatedWindows:
    """A copy of the first windows of a text, at most so many."""
    numbers = islice(range(batches.per_epoch), count)
    return RepeatedWindows([Window(*map(_copied, batches[number])) for number in numbers])


def endless(config: ResolvedConfig) -> ResolvedConfig:
    """The config of a run without limits."""
    limits = {"max_steps": sys.maxsize, "epochs": None, "max_time": None}
    training = config.training.model_copy(update=limits)
    return config.model_copy(update={"training": training})


def trial(
    config: ResolvedConfig,
    text: Prepared,
    state: TrainState,
    seconds: float,
    ranks: Ranks | None = None,
    leading: Callable[[Trainer], Trainer] = lambda trainer: trainer,
) -> Trial:
    """Trains for some seconds, at least one step.

    Args:
        config: The config of the run, whose limits do not matter.
        text: Its text.
        state: The state to start from, which is changed.
        seconds: The least duration.
        ranks: Processes that share the lanes; None for this one alone.
        leading: Lets a trainer order them to take part.
    """
    with worker_threads(config.training.workers, ranks) as workers:
        trainer = leading(trainer_of(endless(config), text.batches, text.scored, workers))
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


def _copied(value: Any) -> Any:
    """A copy in memory of an array, such as one that is mapped from a file."""
    return np.array(value) if isinstance(value, np.ndarray) else value
