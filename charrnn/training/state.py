"""Everything that changes during training, and so everything that a resumed run needs."""

from dataclasses import dataclass

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.optim.optimizer import Optimizer, OptimizerState


@dataclass
class Progress:
    """The counts and measurements of a run. The position in the text is a function of `step`.

    Attributes:
        step: Training steps.
        characters: Characters trained on.
        clipped_steps: Steps whose gradient was clipped.
        loss_sum: Nats of the steps since the last evaluation.
        loss_characters: Characters of the steps since the last evaluation.
        best_score: Lowest validation loss so far, or training loss if nothing is held out.
        best_train_nats: Training loss when best_score was measured, in nats per character.
        best_validation_nats: Validation loss when best_score was measured.
        stale: Evaluations since then.
        rollbacks: How often the run went back to an earlier state because training diverged.
        seconds: Duration of the run.
        step_seconds: Duration of its steps alone.
        evaluated: `seconds` at the end of the last evaluation.
        evaluation_seconds: Duration of the last evaluation.
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
    """State of a training run.

    Attributes:
        params: The weights that are trained.
        optimizer: The optimizer's state.
        h: Hidden states of the lanes (B, H).
        progress: Counts and measurements.
    """

    params: Params
    optimizer: OptimizerState
    h: Array
    progress: Progress

    @property
    def model(self) -> Params:
        """The weights of the model: the average of the trained ones where the optimizer has it."""
        return self.optimizer.averaged(self.params)

    def matches(self, other: "TrainState") -> bool:
        """Whether another state has the same shapes, precision and kind of optimizer."""
        one, two = (
            (state.params.layout.shapes, state.optimizer.slots.keys(), state.h.shape, state.h.dtype)
            for state in (self, other)
        )
        return one == two

    def restore(self, other: "TrainState") -> None:
        """Copies another state of the same run into this one's memory."""
        self.params.flat[...] = other.params.flat
        for name, slot in self.optimizer.slots.items():
            slot.flat[...] = other.optimizer.slots[name].flat
        self.optimizer.count = other.optimizer.count
        self.h[...] = other.h
        vars(self.progress).update(vars(other.progress))

    @classmethod
    def initial(cls, params: Params, optimizer: Optimizer, batch_size: int) -> "TrainState":
        """The state before the first step."""
        h = np.zeros((batch_size, params.state_size), params.dtype)
        return cls(params, optimizer.init(params), h, Progress())
