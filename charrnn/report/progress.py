"""A run in progress: what was seen of it last, and its figures, with names and in two lengths."""

from charrnn.events import Evaluated, Event, LagProfile, Sampled, Stepped
from charrnn.report.event_lines import figure, in_both_units
from charrnn.report.loss_curves import LossCurves
from charrnn.results import RunLog

Row = tuple[str, str, str]  # a name and its value, with details and without


class RunProgress:
    """The last events of a run, and the curves of its losses.

    Attributes:
        losses: The curves.
        step, evaluated, lags, sampled: The last event of each kind; None before the first.
    """

    def __init__(self, past: RunLog | None = None) -> None:
        """Begins the curves with what a resumed run has logged before."""
        self.losses = LossCurves()
        self.step: Stepped | None = None
        self.evaluated: Evaluated | None = None
        self.lags: LagProfile | None = None
        self.sampled: Sampled | None = None
        events: tuple[Event, ...] = (*past.steps, *past.evaluations) if past else ()
        for event in events:
            self.losses.add(event)

    def add(self, event: Event) -> None:
        """Takes an event into account."""
        self.losses.add(event)
        if isinstance(event, Stepped):
            self.step = event
        elif isinstance(event, Evaluated):
            self.evaluated = event
        elif isinstance(event, LagProfile):
            self.lags = event
        elif isinstance(event, Sampled):
            self.sampled = event

    def rows(self, step: Stepped) -> tuple[list[Row], list[Row]]:
        """The figures of a step: how far the run is and its losses, and those of the gradient."""
        progress = [
            ("step", f"{step.step:,}, epoch {step.epoch:.2f}", f"{step.step:,}"),
            ("training", *_loss(self.losses.smoothed)),
        ]
        if self.evaluated and self.evaluated.validation_nats_per_character is not None:
            progress.append(("validation", *_loss(self.evaluated.validation_nats_per_character)))
        speed, norm = f"{step.characters_per_second:,.0f}", figure(step.gradient_norm)
        progress.append(("speed", f"{speed} characters/s", f"{speed}/s"))
        gradient = [
            ("gradient norm", f"{norm} before clipping", norm),
            ("clipped", f"{step.clipped_share:.1%} of steps", f"{step.clipped_share:.1%}"),
            ("learning rate", f"{step.learning_rate:.2e}", f"{step.learning_rate:.2e}"),
        ]
        if self.lags:
            gradient.append(("gradient flow", *_flow(self.lags)))
        return progress, gradient


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
