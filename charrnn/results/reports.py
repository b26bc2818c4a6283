"""Results about texts, checkpoints and samples."""

from dataclasses import dataclass
from typing import Any

from charrnn.results.display import Displayed
from charrnn.results.plans import Plan


@dataclass(frozen=True)
class Alphabet:
    """Characters, most frequent first, and how often each occurs in the text, if there is one."""

    characters: tuple[str, ...]
    counts: tuple[int, ...] | None


@dataclass(frozen=True)
class Trial:
    """Training steps on weights that are then discarded, to measure time and memory.

    Attributes:
        characters: Mean number of targets per step.
        memory: Peak bytes of reading and of the steps.
    """

    steps: int
    seconds_per_step: float
    characters: float
    memory: int
    machine_memory: float


@dataclass(frozen=True)
class TextReport(Displayed):
    """A text as a run would read it, and an estimate of that run.

    Attributes:
        scored: Characters of the held-out part in each evaluation.
        steps, seconds: Length of the run, limited by the budget or estimated from the trial.
        plan: What was chosen for the text; None if the config has all settings.
    """

    texts: tuple[str, ...]
    encoding: str
    sequences: str
    characters: int
    lines: int
    alphabet: Alphabet
    training: int
    validation: int
    scored: int
    hidden_size: int
    layers: int
    activation: str
    weights: int
    workers: int
    steps_per_epoch: int
    steps: float
    seconds: float
    trial: Trial
    plan: Plan | None = None


@dataclass(frozen=True)
class CheckpointSummary:
    """One of a run's checkpoints: its step and validation loss, or its fault."""

    path: str
    step: int | None
    validation_nats_per_character: float | None
    fault: str | None


@dataclass(frozen=True)
class ModelReport(Displayed):
    """A verified checkpoint, and the others of its run. norms: of each parameter."""

    path: str
    size: int
    config: dict[str, Any]
    weights: int
    shapes: dict[str, tuple[int, ...]]
    norms: dict[str, float]
    alphabet: Alphabet
    progress: dict[str, Any]
    text_size: int
    text_digest: str
    others: tuple[CheckpointSummary, ...]

    @property
    def sound(self) -> bool:
        """Whether all of the run's checkpoints are usable."""
        return all(other.fault is None for other in self.others)
