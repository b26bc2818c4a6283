"""Whether a run failed to learn, and why."""

from typing import Literal

from charrnn.config.settings import Config
from charrnn.events import Stepped
from charrnn.runs.divergence import advice
from charrnn.wording import pluralize

FEW_STEPS = 100  # after which any network predicts better than guessing
DIVERGED = 1.5  # times the loss of guessing, which a network that learns never exceeds for long

RATE_FACTOR = 10.0  # by which a learning rate is changed with which nothing was learned

Cause = Literal["diverged", "few steps", "slow"]


def cause_of_failure(
    nats_per_character: float | None, uniform: float, steps: int, worst: Stepped | None
) -> Cause | None:
    """Why a model is no better than guessing; None if it is better. The arguments are those of
    `failure`.
    """
    if not steps or nats_per_character is None or nats_per_character < uniform:
        return None
    if nats_per_character == uniform == 0:  # a text of one character has nothing to learn
        return None
    if worst and worst.nats_per_character > DIVERGED * uniform:
        return "diverged"
    return "few steps" if steps < FEW_STEPS else "slow"


def failure(
    config: Config,
    nats_per_character: float | None,
    uniform: float,
    steps: int,
    rollbacks: int,
    worst: Stepped | None,
) -> str | None:
    """Says that a model is no better than guessing, why, and what to change.

    Args:
        config: The config of the run.
        nats_per_character: The loss of the best model: on the held-out text, if there is one.
        uniform: The loss if all characters are equally likely.
        steps: The number of training steps.
        rollbacks: How often the run was rolled back.
        worst: The training step with the largest loss; None if it is not known.
    """
    cause = cause_of_failure(nats_per_character, uniform, steps, worst)
    if not cause:
        return None
    found = (
        f"the model is no better than guessing: {nats_per_character:.4g} nats per character, "
        f"against {uniform:.4g} if all characters are equally likely."
    )
    if cause == "diverged" and worst:
        return (
            f"{found} It diverged: at step {worst.step:,} the loss was "
            f"{worst.nats_per_character:.3g} nats, with a gradient of norm "
            f"{worst.gradient_norm:.3g}; {advice(config, rollbacks, RATE_FACTOR)}"
        )
    if cause == "few steps":
        more = f"`training.max_steps={10 * steps}`"
        return f"{found} It made only {pluralize(steps, 'step')}: train for longer, such as {more}"
    rate = RATE_FACTOR * config.optimizer.learning_rate
    return (
        f"{found} In {pluralize(steps, 'step')} it learned nothing, without diverging: the steps "
        f"may be too small, `optimizer.learning_rate={rate:.3g}`"
    )
