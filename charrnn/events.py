"""The events of a run, in the order in which they happen, and the protocol of their sinks."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class RunStarted:
    """The run is set up; nothing is trained yet.

    steps: in the whole run at most; None if only time limits it. workers: of each rank.
    """

    run: str
    parameters: int
    alphabet: int
    training_characters: int
    validation_characters: int
    steps_per_epoch: int
    steps: int | None
    workers: int
    first_step: int
    notes: tuple[str, ...] = ()
    ranks: int = 1


@dataclass(frozen=True)
class Baselines:
    """The loss of baselines on the held-out text.

    ngram: of an n-gram model with `context` characters of context. uniform: if all characters are
    equally likely. unigram: of how often each character occurs. xz: the size to which xz compresses
    the text by itself. Logs of earlier versions lack the last two.
    """

    uniform_nats_per_character: float
    ngram_nats_per_character: float
    context: int
    unigram_nats_per_character: float | None = None
    xz_nats_per_character: float | None = None


@dataclass(frozen=True)
class Stepped:
    """One update was made.

    The loss is in nats per character, whatever the reduction. `gradient_norm` is measured before
    clipping. `used` is the fraction of the run's budget that is used up.
    """

    step: int
    epoch: float
    used: float
    nats_per_character: float
    gradient_norm: float
    gradient_norms: dict[str, float] = field(repr=False)
    clipped: bool
    clipped_share: float
    learning_rate: float
    rollbacks: int
    characters: int
    characters_per_second: float
    seconds: float


@dataclass(frozen=True)
class Evaluated:
    """The model was evaluated on the held-out text."""

    step: int
    seconds: float
    train_nats_per_character: float
    validation_nats_per_character: float | None
    best: bool


@dataclass(frozen=True)
class LagProfile:
    """How far gradients flow back: norms[l] is the mean ‖∂L_t/∂h_{t-l}‖.

    rate: the fitted factor per character. half_life: in characters; None if there is none. layer:
    the number of the layer, from 1; None if there is only one.
    """

    step: int
    norms: tuple[float, ...]
    rate: float
    half_life: float | None
    layer: int | None


@dataclass(frozen=True)
class Sampled:
    """The model generated a sample."""

    step: int
    text: str


@dataclass(frozen=True)
class Histogram:
    """How many values are between each two of these edges, in ascending order."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class WeightsMeasured:
    """The norms and histograms of the weights, by parameter; none of one that is not finite."""

    step: int
    norms: dict[str, float]
    histograms: dict[str, Histogram] = field(repr=False)


@dataclass(frozen=True)
class Noted:
    """Something unexpected happened, and the run continues."""

    step: int
    note: str


@dataclass(frozen=True)
class RolledBack(Noted):
    """The run was reset to its state after `step`; the note gives the reason."""


@dataclass(frozen=True)
class StopRequested:
    """The run will stop after the current step."""


@dataclass(frozen=True)
class Tested:
    """The best model was scored on the test text, when the run had ended."""

    step: int
    test_nats_per_character: float


@dataclass(frozen=True)
class RunEnded:
    """The run is over. Losses are those of the best checkpoint, in nats per character.

    early: whether `training.patience` ended the run before its budget was used up. failure: what
    went wrong, if the model is worse than guessing.
    """

    run: str
    checkpoint: str
    steps: int
    early: bool
    train_nats_per_character: float | None
    validation_nats_per_character: float | None
    validation_bits_per_character: float | None
    test_nats_per_character: float | None
    ngram_nats_per_character: float | None
    uniform_nats_per_character: float
    characters_per_second: float
    seconds: float
    failure: str | None
    unigram_nats_per_character: float | None = None
    xz_nats_per_character: float | None = None


Event = (
    RunStarted
    | Baselines
    | Stepped
    | LagProfile
    | Evaluated
    | Sampled
    | WeightsMeasured
    | Noted
    | StopRequested
    | Tested
    | RunEnded
)


class Sink(Protocol):
    """Receives the events of a run, one at a time and never from a signal handler."""

    def __call__(self, event: Event, /) -> None:
        """Handles an event."""

    def flush(self) -> None:
        """Writes pending events to disk; called before a checkpoint is written."""

    def close(self) -> None:
        """Releases resources. No event follows; may be called more than once."""
