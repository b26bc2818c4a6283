"""The rollback history restores the recorded states."""

import numpy as np
import pytest

from charrnn.analysis.problems import random_problem
from charrnn.optim.optimizers import make_optimizer
from charrnn.runs.rollback import RollbackHistory
from charrnn.training.state import TrainState


def state_at(step: int) -> TrainState:
    params = random_problem(np.random.default_rng(step)).params
    state = TrainState.initial(params, make_optimizer("momentum", momentum=0.9), 2)
    state.progress.step = step
    return state


def back(history: RollbackHistory, before: int) -> int | None:
    """The step that a diverged state is restored to; all of the state is of that step."""
    state = state_at(1000)
    if not history.restore_before(before, state):
        return None
    expected = state_at(state.progress.step)
    assert np.array_equal(state.params.flat, expected.params.flat)
    return state.progress.step


def history_of(*told: tuple[str, int]) -> RollbackHistory:
    history = RollbackHistory(enabled=True)
    for what, step in told:
        getattr(history, what)(state_at(step))
    return history


def test_first_to_a_saved_state_then_to_an_evaluated_one() -> None:
    history = history_of(("evaluated", 0), ("evaluated", 20), ("saved", 25))
    assert back(history, 30) == 25
    assert back(history, 30) == 20
    assert back(history, 30) == 20


def test_saves_after_a_rollback_are_ignored_until_an_evaluation() -> None:
    """The repeated steps may contain the cause of the divergence."""
    history = history_of(("evaluated", 20), ("saved", 25))
    assert back(history, 30) == 25
    history.saved(state_at(27))
    assert back(history, 30) == 20
    history.evaluated(state_at(40))
    history.saved(state_at(45))
    assert back(history, 50) == 45


@pytest.mark.parametrize(("before", "found"), [(41, 40), (40, 20), (21, 20), (20, None), (1, None)])
def test_only_before_the_step(before: int, found: int | None) -> None:
    assert back(history_of(("evaluated", 20), ("evaluated", 40)), before) == found


def test_recorded_states_are_copies() -> None:
    history, state = RollbackHistory(enabled=True), state_at(5)
    history.evaluated(state)
    state.params.flat[...] = np.nan
    assert back(history, 9) == 5


def test_a_disabled_history_is_empty() -> None:
    history = RollbackHistory(enabled=False)
    history.evaluated(state_at(5))
    history.saved(state_at(6))
    assert back(history, 9) is None
