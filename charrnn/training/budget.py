"""When a run ends."""

from dataclasses import dataclass

from charrnn.training.state import Progress


@dataclass(frozen=True)
class Budget:
    """When a run ends: after so many steps, seconds, or evaluations without a better score.

    Whichever comes first; None: never for this reason.
    """

    max_steps: int | None
    max_seconds: float | None
    patience: int | None

    def used(self, progress: Progress) -> float:
        """The share of the budget that is used: 1 is the end."""
        shares = [0.0]
        if self.max_steps is not None:
            shares.append(progress.step / self.max_steps)
        if self.max_seconds is not None:
            shares.append(progress.seconds / self.max_seconds)
        return min(max(shares), 1.0)

    def out_of_patience(self, progress: Progress) -> bool:
        """Whether training has brought nothing for too long."""
        return self.patience is not None and progress.stale >= self.patience

    def complete(self, progress: Progress) -> bool:
        """Whether the run is at its end."""
        return self.used(progress) >= 1 or self.out_of_patience(progress)
