"""What is logged of the events of a run."""

from dataclasses import asdict, dataclass
from typing import Any

from charrnn.events import (
    Baselines,
    Evaluated,
    Event,
    LagProfile,
    Sampled,
    Stepped,
    Tested,
    WeightsMeasured,
)
from charrnn.units import BITS_PER_NAT


@dataclass(frozen=True)
class LogLines:
    """Turns events into the documents that metrics.jsonl has, each in a line.

    Attributes:
        every_steps: Of training steps, only the first and every one of these is logged.
        begins: Whether the run makes its first step; a resumed one has logged its baselines.
    """

    every_steps: int
    begins: bool

    def __call__(self, event: Event) -> dict[str, Any] | None:
        """The document of an event, with its kind as `event`; None if it is not logged."""
        if isinstance(event, Stepped):
            if event.step != 1 and event.step % self.every_steps:
                return None
            bits = event.nats_per_character * BITS_PER_NAT
            return _line("step", event) | {"bits_per_character": bits}
        if isinstance(event, Evaluated):
            nats = event.validation_nats_per_character
            bits_or_none = None if nats is None else nats * BITS_PER_NAT
            return _line("evaluation", event) | {"validation_bits_per_character": bits_or_none}
        if isinstance(event, Baselines):
            return _line("baselines", event) | {"step": 0} if self.begins else None
        if isinstance(event, LagProfile):
            return _line("lag_profile", event, () if event.layer else ("layer",))
        if isinstance(event, Sampled):
            return _line("sample", event)
        if isinstance(event, WeightsMeasured):
            return _line("weights", event, ("histograms",))
        return _line("test", event) if isinstance(event, Tested) else None


def _line(kind: str, event: Any, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    values = {name: value for name, value in asdict(event).items() if name not in left_out}
    return {"event": kind} | values
