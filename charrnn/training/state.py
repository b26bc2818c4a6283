"""All that changes while a model trains, and so all that a resumed run needs."""

from dataclasses import dataclass

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.optim.optimizers import Optimizer, OptimizerState


@dataclass
class Progress:
    """The numbers of a run. The position in the text is a function of `step`.

    loss_sum, loss_characters: nats and characters of the steps since the last evaluation.
    best_score: the lowest validation loss so far, or training loss where nothing is held out;
    the other best_ are what was measured then. stale: evaluations since then.
    rollbacks: how often the run went back to an earlier state because training diverged.
    evaluated: the seconds at which the last evaluation ended; evaluation_seconds: how long it took.
    seconds: of the whole run; step_seconds: those spent in steps alone.
    """

    step: int = 0
    characters: int = 0
    clipped_steps: int = 0
    loss_sum: float = 0.0
    loss_characters: int = 0
    best_score: float | None = None
    best_train_nats: float | None = None
    best_validation_nats: float | None = None
    stale: int = 0
    rollbacks: int = 0
    seconds: float = 0.0
    step_seconds: float = 0.0
    evaluated: float = 0.0
    evaluation_seconds: float = 0.0


@dataclass
class TrainState:
    """Weights, optimizer, hidden states of the lanes (B, H), and progress."""

    params: Params
    optimizer: OptimizerState
    h: Array
    progress: Progress

    def restore(self, other: "TrainState") -> None:
        """Takes over another state of the same run, in the memory that this one has."""
        self.params.flat[...] = other.params.flat
        for name, slot in self.optimizer.slots.items():
            slot.flat[...] = other.optimizer.slots[name].flat
        self.optimizer.count = other.optimizer.count
        self.h[...] = other.h
        vars(self.progress).update(vars(other.progress))

    @classmethod
    def initial(cls, params: Params, optimizer: Optimizer, batch_size: int) -> "TrainState":
        """The state before the first step."""
        h = np.zeros((batch_size, params.hidden_size), params.W.dtype)
        return cls(params, optimizer.init(params), h, Progress())
