"""Tells from the log of a run whether its learning rate was at fault."""

from typing import Literal

from charrnn.config.settings import Config
from charrnn.results import RunFigures
from charrnn.runs.outcome import DIVERGED

ENOUGH_STEPS = 300  # to tell a low rate from a short run
NARROW_GAP = 0.05  # between training and held-out loss, relative to the latter
TOO_HIGH = 0.04  # for Adam, even in the shortest runs


def rate_at_fault(
    config: Config, found: RunFigures
) -> tuple[Literal["low_rate", "high_rate"], str] | None:
    """Whether the learning rate of a complete run was too low or too high, and what shows it."""
    loss = f"{'held-out' if found.held_out else 'training'} loss"
    rate = config.optimizer.learning_rate
    if found.hardly_learned and found.steps >= ENOUGH_STEPS and found.gap < NARROW_GAP:
        still = f"After {found.steps:,} steps, {loss} is still {found.best:.3f} nats per character"
        if _spiked(found):
            was = f"and training loss was {found.worst:.3g} at its worst"
            return "high_rate", f"{still}, {was}: the rate is too high."
        return "low_rate", f"{still}, far above that of counts: the rate is too low."
    if config.optimizer.name in ("adam", "adamw") and rate >= TOO_HIGH:
        return "high_rate", f"A learning rate of {rate:g} is too high for {config.optimizer.name}."
    return None


def _spiked(found: RunFigures) -> bool:
    """Whether the training loss was once far above that of guessing."""
    if found.worst is None or found.uniform is None:
        return False
    return found.worst > DIVERGED * found.uniform
