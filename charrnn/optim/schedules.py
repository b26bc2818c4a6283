"""Learning rate schedules: a factor as a function of progress, from 0 to 1 over a run."""

from collections.abc import Callable, Sequence
from math import cos, pi

Schedule = Callable[[float], float]


def constant() -> Schedule:
    """A factor of 1 throughout."""
    return lambda progress: 1.0


def step(factor: float, milestones: Sequence[float]) -> Schedule:
    """A factor that is multiplied by `factor` at each milestone, a progress from 0 to 1."""
    return lambda progress: factor ** sum(progress >= milestone for milestone in milestones)


def cosine(final: float) -> Schedule:
    """Half a cosine from 1 to `final`.

    Reference:
        Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", arXiv
        1608.03983.
    """
    return lambda progress: final + (1 - final) * (1 + cos(pi * progress)) / 2


def warmed_up(schedule: Schedule, warmup: float) -> Schedule:
    """Adds a linear warmup to a schedule.

    Args:
        schedule: The schedule.
        warmup: The progress at which the warmup ends.

    Returns:
        The schedule times a factor that rises linearly to 1.
    """

    def factor(progress: float) -> float:
        # not 0, so that the first update of a run changes the weights
        ramp = max(progress / warmup, 1e-3) if progress < warmup else 1.0
        return ramp * schedule(progress)

    return factor


def make_schedule(name: str, warmup: float, **arguments: float | Sequence[float]) -> Schedule:
    """Makes the schedule of that name, with warmup.

    Args:
        name: "constant", "step" or "cosine".
        warmup: The progress at which the warmup ends.
        **arguments: Those of the schedule.

    Returns:
        The schedule.
    """
    makers: dict[str, Callable[..., Schedule]] = {
        "constant": constant,
        "step": step,
        "cosine": cosine,
    }
    return warmed_up(makers[name](**arguments), warmup)
