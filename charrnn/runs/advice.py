"""What to try after a run, in the order of what helped in measurements."""

from charrnn.config.dotted import nested
from charrnn.config.layers import changed
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.results import Advice, Remedy, RunFigures, Standing
from charrnn.results.assessments import SEED_VARIATION
from charrnn.runs.divergence import DIVISOR
from charrnn.runs.outcome import RATE_FACTOR, Cause
from charrnn.runs.remedies import Remedies
from charrnn.wording import call

LEARNING_FACTOR = 4.0  # by which a learning rate is changed with which a network learns
WIDE_GAP = 0.1  # between training and held-out loss, relative to the latter

ORDER: dict[str, tuple[Remedy, ...]] = {
    "diverged": ("lower_rate",),
    "few steps": ("longer",),
    "slow": ("higher_rate",),
    "high_rate": ("lower_rate",),
    "broken down": ("anneal", "lower_rate"),
    "low_rate": ("higher_rate", "longer"),
    "overfitting": ("more_text", "shorter", "dropout"),
    "short": ("longer",),
    "learning": ("longer", "larger"),
    "narrow gap": ("anneal", "larger", "longer"),
    "wide gap": ("more_text", "anneal", "relu"),
    "nothing held out": ("hold_out",),
}


def advise(
    config: Config, standing: Standing, found: RunFigures, cause: Cause | None, path: str
) -> tuple[Advice, ...]:
    """What may lower the held-out loss, the most promising first.

    The order is that of measurements: docs/experiments.md, "What to try next".

    Args:
        config: The config of the run.
        standing: How it went.
        found: The figures of its log.
        cause: Why it learned nothing, if it did not.
        path: Its directory; empty if it has none.
    """
    case: str = cause or standing
    if case in ("underfitting", "settled"):
        case = "wide gap" if found.gap > WIDE_GAP else "narrow gap"
        case = case if found.held_out else "nothing held out"
    if case == "high_rate" and found.last > found.best + SEED_VARIATION:
        case = "broken down"
    if not found.complete and not cause and case not in ("overfitting", "broken down"):
        words = f"Resume it; it used {found.used:.0%} of its budget"
        return (Advice("resume", words, command=path and call("train", resume=path)),)
    if found.held_out and standing in ("settled", "learning") and found.best <= SEED_VARIATION:
        return ()  # nothing is left to learn
    learned = case not in ("diverged", "slow") and (
        case == "broken down" or not found.hardly_learned
    )
    factor = LEARNING_FACTOR if learned else RATE_FACTOR
    whole = found.steps / max(found.used, 1e-9)
    remedies = Remedies(config, path, whole, found.best_step, factor, found.rollbacks)
    ways = [way for name in ORDER[case] if (way := getattr(remedies, name)())]
    return tuple(way for way in ways if _is_valid(config, way))


def advise_after_divergence(config: Config, path: str) -> tuple[Advice, ...]:
    """What to try after training that diverged and stopped."""
    return (Remedies(config, path, 0, 0, DIVISOR, 0).lower_rate(),)


def _is_valid(config: Config, advice: Advice) -> bool:
    """Whether the changed values are within the bounds of their settings."""
    try:
        changed(config, nested(advice.changes))
    except UsageError:
        return False
    return True
