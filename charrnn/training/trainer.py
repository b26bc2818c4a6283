"""The training loop: a generator of events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, isfinite
from typing import Any

import numpy as np

from charrnn.errors import CharrnnError
from charrnn.events import Evaluated, Stepped
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.optim.clipping import Clip, Clipped
from charrnn.optim.optimizer import OptimizerState
from charrnn.optim.schedules import Schedule
from charrnn.text.windows import Windows
from charrnn.training.budget import Budget
from charrnn.training.clock import Clock
from charrnn.training.state import Progress, TrainState
from charrnn.window import Window

Update = Callable[[Params, OptimizerState, Params, float], None]  # an Optimizer's

ROLLBACK_RATE_FACTOR = 0.5  # of the learning rate, for each rollback of the run


class Divergence(CharrnnError):
    """A loss, gradient or update that is not finite.

    Attributes:
        step: The step, counted from 1.
        window: The window that was trained on; None for the validation loss.
        figures: What was measured, by name.
        run: The run up to that step, if the function that trains has set it.
    """

    run: Any = None

    def __init__(
        self, what: str, step: int, window: Window | None, figures: dict[str, Any]
    ) -> None:
        super().__init__(f"training diverged at step {step}: {what}.")
        self.step, self.window, self.figures = step, window, figures

    def __reduce__(self) -> tuple[Any, ...]:
        # as an exception is pickled, without calling __init__, whose arguments are others
        return self.__class__.__new__, (self.__class__, *self.args), vars(self) | {"run": None}


class SavePoint:
    """Marks a moment at which the state can be saved, after a step that is not evaluated.

    A run saved between an update and the evaluation of its step would miss the evaluation when it
    is resumed.
    """


@dataclass(frozen=True)
class Trainer:
    """The training loop.

    Attributes:
        objective: Computes loss and gradient of a window.
        update: Changes the weights in place, an optimizer's `update`.
        clip: Clips the gradient in place.
        schedule: The factor of the learning rate.
        learning_rate: Its base.
        batches: The windows to train on.
        budget: When the run ends.
        evaluate: The validation loss in nats per character; None if nothing is held out.
        evaluations: Number of evaluations in a run, evenly spaced; the last is at its end.
        loss_is_mean: Whether the objective's loss is a mean over characters, not a sum.
        clock: The time in seconds.
    """

    objective: Objective
    update: Update
    clip: Clip
    schedule: Schedule
    learning_rate: float
    batches: Windows
    budget: Budget
    evaluate: Callable[[Params], float | None]
    evaluations: int
    loss_is_mean: bool
    clock: Callable[[], float]

    def run(
        self, state: TrainState, stopped: Callable[[], bool]
    ) -> Iterator[Stepped | Evaluated | SavePoint]:
        """Trains until the budget is used or the run is stopped.

        The last step of a used budget is always evaluated.

        Args:
            state: The state of the run, changed in place.
            stopped: Called between steps; True ends the run.

        Yields:
            An event for each step, then one for its evaluation or a point at which to save.

        Raises:
            Divergence: The loss or gradient of a step is not finite, in which case the weights
                are unchanged, or an update or the validation loss is not.
        """
        progress = state.progress
        clock = Clock(self.clock)
        start = clock() - progress.seconds
        used = self.budget.used(progress)
        while used < 1 and not self.budget.out_of_patience(progress) and not stopped():
            before, step_start = used, clock()
            window = self.batches[progress.step]._replace(step=progress.step)
            nats, clipped, learning_rate = self._step(state, window, used)
            now = clock()
            progress.step_seconds += now - step_start
            progress.seconds = now - start
            used = self.budget.used(progress)
            due = self._evaluation_due(progress, before, used)
            yield Stepped(
                step=progress.step,
                epoch=progress.step / self.batches.per_epoch,
                used=used,
                nats_per_character=nats,
                gradient_norm=clipped.norm,
                gradient_norms=clipped.norms,
                clipped=clipped.clipped,
                clipped_share=progress.clipped_steps / progress.step,
                learning_rate=learning_rate,
                rollbacks=progress.rollbacks,
                characters=progress.characters,
                characters_per_second=progress.characters / max(progress.step_seconds, 1e-9),
                seconds=progress.seconds,
            )
            if due:
                evaluation_start = clock()
                evaluated = self._evaluate(state)
                progress.evaluated = progress.seconds = clock() - start
                progress.evaluation_seconds = clock() - evaluation_start
                used = self.budget.used(progress)
                yield evaluated
            else:
                yield SavePoint()

    def _evaluation_due(self, progress: Progress, before: float, used: float) -> bool:
        if used >= 1:
            return True
        # a run against the clock spends a tenth of it on evaluations at most
        rest = progress.seconds - progress.evaluated
        if self.budget.max_seconds is not None and rest < 9 * progress.evaluation_seconds:
            return False
        return floor(before * self.evaluations) < floor(used * self.evaluations)

    def _step(self, state: TrainState, window: Window, used: float) -> tuple[float, Clipped, float]:
        progress = state.progress
        h = state.h[: len(window.fresh)]  # lines may leave lanes without work
        h[window.fresh] = 0
        loss, gradient, carried = self.objective(state.params, window, h)
        clipped = self.clip(gradient)
        learning_rate = (
            self.learning_rate * self.schedule(used) * ROLLBACK_RATE_FACTOR**progress.rollbacks
        )
        figures = {
            "loss": loss,
            "gradient_norm": clipped.norm,
            "gradient_norms": clipped.norms,
            "learning_rate": learning_rate,
        }
        if what := _not_finite(loss, clipped):
            raise Divergence(what, progress.step + 1, window, figures)
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                self.update(gradient, state.optimizer, state.params, learning_rate)
        except FloatingPointError:
            what = f"the update overflowed, from a gradient of norm {clipped.norm:.1e}"
            raise Divergence(what, progress.step + 1, window, figures) from None
        h[...] = carried
        characters = window.targets
        nats = loss if self.loss_is_mean else loss / characters
        progress.step += 1
        progress.characters += characters
        progress.clipped_steps += clipped.clipped
        progress.loss_sum += nats * characters
        progress.loss_characters += characters
        return nats, clipped, learning_rate

    def _evaluate(self, state: TrainState) -> Evaluated:
        progress = state.progress
        validation = self.evaluate(state.model)
        if validation is not None and not isfinite(validation):
            what = f"the validation loss is {validation}"
            raise Divergence(what, progress.step, None, {"validation_loss": validation})
        train = progress.loss_sum / progress.loss_characters
        progress.loss_sum, progress.loss_characters = 0.0, 0
        score = train if validation is None else validation
        best = progress.best_score is None or score < progress.best_score
        progress.stale = 0 if best else progress.stale + 1
        if best:
            progress.best_score = score
            progress.best_train_nats, progress.best_validation_nats = train, validation
        return Evaluated(
            step=progress.step,
            seconds=progress.seconds,
            train_nats_per_character=train,
            validation_nats_per_character=validation,
            best=best,
        )


def _not_finite(loss: float, clipped: Clipped) -> str | None:
    if isfinite(loss) and isfinite(clipped.norm):
        return None
    wrong = [name for name, norm in clipped.norms.items() if not isfinite(norm)]
    what = f"the loss is {loss}" if not isfinite(loss) else "the loss is finite"
    tensors = (
        f"the gradient of {', '.join(wrong)} is not finite" if wrong else "gradients are finite"
    )
    return f"{what}, {tensors}; the update was not made"
