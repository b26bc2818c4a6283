"""The budget of a run."""

from dataclasses import dataclass

from charrnn.training.state import Progress


@dataclass(frozen=True)
class Budget:
    """Limits of a run, which ends at the first that it reaches; None for no limit.

    Attributes:
        max_steps: Number of training steps; 0 to keep the first weights.
        max_seconds: Duration in seconds.
        patience: Number of evaluations in a row without a better score.
    """

    max_steps: int | None
    max_seconds: float | None
    patience: int | None

    def used(self, progress: Progress) -> float:
        """The fraction of the steps or seconds that is used, whichever is larger, at most 1."""
        fractions = [0.0]
        if self.max_steps is not None:
            fractions.append(progress.step / self.max_steps if self.max_steps else 1.0)
        if self.max_seconds is not None:
            fractions.append(progress.seconds / self.max_seconds)
        return min(max(fractions), 1.0)

    def out_of_patience(self, progress: Progress) -> bool:
        """Whether the score has not improved for too many evaluations."""
        return self.patience is not None and progress.stale >= self.patience

    def complete(self, progress: Progress) -> bool:
        """Whether the run has reached a limit."""
        return self.used(progress) >= 1 or self.out_of_patience(progress)
