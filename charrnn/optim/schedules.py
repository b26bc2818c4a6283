"""The learning rate over a run, as a factor of `progress`: 0 at its start, 1 at its end."""

from collections.abc import Callable, Sequence
from math import cos, pi

Schedule = Callable[[float], float]


def constant() -> Schedule:
    """Always 1."""
    return lambda progress: 1.0


def step(factor: float, milestones: Sequence[float]) -> Schedule:
    """Multiplied by `factor` at each milestone."""
    return lambda progress: factor ** sum(progress >= milestone for milestone in milestones)


def cosine(final: float) -> Schedule:
    """Half a cosine from 1 to `final`.

    Source: Loshchilov & Hutter 2017, arXiv 1608.03983.
    """
    return lambda progress: final + (1 - final) * (1 + cos(pi * progress)) / 2


def warmed_up(schedule: Schedule, warmup: float) -> Schedule:
    """The schedule, times a factor that rises linearly to 1 over the first `warmup` of the run."""

    def factor(progress: float) -> float:
        progress = min(max(progress, 0.0), 1.0)
        # never quite 0: the first update of a run should move something
        ramp = max(progress / warmup, 1e-3) if progress < warmup else 1.0
        return ramp * schedule(progress)

    return factor


def make_schedule(name: str, warmup: float, **choices: float | Sequence[float]) -> Schedule:
    """The schedule of that name: constant, step or cosine."""
    makers: dict[str, Callable[..., Schedule]] = {
        "constant": constant,
        "step": step,
        "cosine": cosine,
    }
    return warmed_up(makers[name](**choices), warmup)
