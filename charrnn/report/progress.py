"""The figures of a run in progress, with names and in two lengths."""

from charrnn.events import Evaluated, LagProfile, Stepped
from charrnn.report.event_lines import figure, in_both_units

Row = tuple[str, str, str]  # a name and its value, with details and without


def progress_rows(step: Stepped, smoothed: float, evaluated: Evaluated | None) -> list[Row]:
    """How far a run is, and its losses; smoothed: the mean training loss of the last steps."""
    rows = [
        ("step", f"{step.step:,}, epoch {step.epoch:.2f}", f"{step.step:,}"),
        ("training", *_loss(smoothed)),
    ]
    if evaluated and evaluated.validation_nats_per_character is not None:
        rows.append(("validation", *_loss(evaluated.validation_nats_per_character)))
    speed = f"{step.characters_per_second:,.0f}"
    return [*rows, ("speed", f"{speed} characters/s", f"{speed}/s")]


def gradient_rows(step: Stepped, lags: LagProfile | None) -> list[Row]:
    """The gradient, and the learning rate."""
    norm = figure(step.gradient_norm)
    rows = [
        ("gradient norm", f"{norm} before clipping", norm),
        ("clipped", f"{step.clipped_share:.1%} of steps", f"{step.clipped_share:.1%}"),
        ("learning rate", f"{step.learning_rate:.2e}", f"{step.learning_rate:.2e}"),
    ]
    return [*rows, ("gradient flow", *_flow(lags))] if lags else rows


def seconds_left(step: Stepped) -> float:
    """The rest of a run, if it goes on as fast."""
    return step.seconds * (1 - step.used) / step.used if step.used else 0.0


def _loss(nats: float) -> tuple[str, str]:
    return in_both_units(nats), f"{figure(nats)} nats"


def _flow(lags: LagProfile) -> tuple[str, str]:
    rate = f"×{figure(lags.rate)}"
    if lags.half_life is None:
        return f"{rate} per character", rate
    words = f"{'half-life' if lags.rate < 1 else 'doubling in'} {lags.half_life:.3g}"
    return f"{words} characters", words
