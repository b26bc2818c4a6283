"""Rank 0 of a run: it decides and orders, and the other ranks compute their share."""

from collections.abc import Callable
from dataclasses import replace

from charrnn.arrays import Array
from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.model.bptt import Objective
from charrnn.model.params import Params
from charrnn.optim.optimizer import OptimizerState
from charrnn.runs.orders import Fault, Order, Task, TrialTask, send_state, share_states
from charrnn.system.ranks import Ranks
from charrnn.training.state import TrainState
from charrnn.training.trainer import Trainer, Update
from charrnn.window import Window

Score = Callable[[Params], float | None]


class Alone:
    """What stands for the other ranks where there are none.

    Attributes:
        stopping: Whether one of them was asked to stop.
    """

    stopping = False

    def leading(self, trainer: Trainer) -> Trainer:
        """The trainer, of which each step is ordered."""
        return trainer

    def scoring_test(self, score: Score) -> Score:
        """The scoring of the test text, likewise."""
        return score

    def send(self, state: TrainState) -> None:
        """Gives the others this state, which they have to begin with."""

    def collect(self, state: TrainState) -> None:
        """Completes the hidden states of lanes that others compute."""


class Leader(Alone):
    """Orders the other ranks to take part in a run, or in trial steps before it.

    Raises:
        InputError: A rank has another text.
        CharrnnError: A rank cannot take part for another reason.
    """

    def __init__(self, ranks: Ranks, task: Task | TrialTask) -> None:
        self._ranks = ranks
        with ranks.ordered(Order.BEGIN):
            ranks.tell(task)
            faults: list[Fault | None] = ranks.exchange(None)
        for fault in filter(None, faults):
            kinds = {kind.exit_code: kind for kind in (CharrnnError, UsageError, InputError)}
            raise kinds[fault.exit_code](fault.message, fault.hint)

    @property
    def stopping(self) -> bool:  # type: ignore[override]
        """Whether a rank was asked to stop."""
        return self._ranks.stopping

    def leading(self, trainer: Trainer) -> Trainer:
        """The trainer, of which each step is ordered."""
        return replace(
            trainer,
            objective=self._ordering_steps(trainer.objective),
            update=self._ordering_updates(trainer.update),
            evaluate=self._ordering_scores(Order.SCORE_VALIDATION, trainer.evaluate),
        )

    def scoring_test(self, score: Score) -> Score:
        """The scoring of the test text, likewise."""
        return self._ordering_scores(Order.SCORE_TEST, score)

    def send(self, state: TrainState) -> None:
        """Gives the others this state, which they have to begin with."""
        with self._ranks.ordered(Order.TAKE_STATE, state.optimizer.count):
            send_state(self._ranks, state)

    def collect(self, state: TrainState) -> None:
        """Completes the hidden states of lanes that others compute."""
        with self._ranks.ordered(Order.GIVE_STATES):
            share_states(self._ranks, state)

    def _ordering_steps(self, objective: Objective) -> Objective:
        def ordering(params: Params, window: Window, h0: Array) -> tuple[float, Params, Array]:
            with self._ranks.ordered(Order.STEP, window.step):
                return objective(params, window, h0)

        return ordering

    def _ordering_updates(self, update: Update) -> Update:
        def ordering(
            gradient: Params, state: OptimizerState, params: Params, learning_rate: float
        ) -> None:
            with self._ranks.ordered(Order.UPDATE, learning_rate):
                pass  # the others need nothing more for it
            update(gradient, state, params, learning_rate)

        return ordering

    def _ordering_scores(self, order: Order, score: Score) -> Score:
        def ordering(params: Params) -> float | None:
            with self._ranks.ordered(order):
                self._ranks.broadcast(params.flat)
                return score(params)

        return ordering
