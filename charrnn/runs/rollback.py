"""The states that a run can go back to after a divergence."""

from collections import deque
from copy import deepcopy

from charrnn.errors import InputError
from charrnn.runs.start import Run
from charrnn.setup.preparation import EVALUATED_STATES, text_difference
from charrnn.training.state import TrainState


class RollbackHistory:
    """Copies of the newest saved state and of the newest EVALUATED_STATES evaluated ones.

    A state is recorded whether or not its checkpoint can be written, so a full disk does not change
    what a run goes back to. Disabled, it records nothing.
    """

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._evaluated: deque[TrainState] = deque(maxlen=EVALUATED_STATES)
        self._saved: TrainState | None = None
        self._went_back = False

    def begin(self, run: Run) -> None:
        """Records the state that a run begins with, after those that a resumed run had recorded."""
        earlier = _evaluated_before(run) if self._enabled else []
        for state in earlier:
            self.evaluated(state)
        between_evaluations = run.state.progress.loss_characters > 0
        (self.saved if earlier and between_evaluations else self.evaluated)(run.state)

    def evaluated(self, state: TrainState) -> None:
        """Records a state that was evaluated."""
        if self._enabled:
            self._evaluated.append(deepcopy(state))
            self._saved, self._went_back = None, False

    def saved(self, state: TrainState) -> None:
        """Records a state that was saved between two evaluations.

        After a rollback this waits for the next evaluation: the saved states may be the cause.
        """
        if self._enabled and not self._went_back:
            self._saved = deepcopy(state)

    def restore_before(self, step: int, state: TrainState) -> bool:
        """Sets `state` to the newest recorded state before this step.

        If the run has already gone back since the last evaluation, only evaluated states count.

        Returns:
            Whether there was such a state.
        """
        while self._evaluated and self._evaluated[-1].progress.step >= step:
            self._evaluated.pop()
        target, self._saved = self._saved, None
        if not target or target.progress.step >= step:
            if not self._evaluated:
                return False
            target = self._evaluated[-1]
        state.restore(target)
        self._went_back = True
        return True


def _evaluated_before(run: Run) -> list[TrainState]:
    """The newest evaluated states before that of a run, from its usable checkpoints, in order."""
    found: dict[int, TrainState] = {}
    for name in run.directory.names():
        if len(found) == EVALUATED_STATES:
            break
        try:
            checkpoint, _ = run.directory.load(name)
        except InputError:
            continue
        state, step = checkpoint.state, checkpoint.state.progress.step
        same_run = not text_difference(run.corpus, checkpoint) and state.matches(run.state)
        if same_run and step < run.state.progress.step:
            found.setdefault(step, state)
    return [found[step] for step in sorted(found)]
