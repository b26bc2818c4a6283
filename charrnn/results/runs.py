"""Results about runs: what one logged, a summary of each, and a folder of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from charrnn.events import Baselines, Evaluated, LagProfile, Sampled, Stepped, Tested
from charrnn.results.display import Displayed


@dataclass(frozen=True)
class RunLog:
    """The lines of a run's `metrics.jsonl`, in the order of their steps.

    Attributes:
        baselines: The loss of the baselines; None without held-out text.
        steps: The training steps that were logged.
        evaluations: The evaluations.
        samples: The samples.
        lag_profiles: How far gradients flowed back, of each layer.
        test: The score on the test text, if there is one.
        unreadable: The number of lines that are no events, such as one that was cut off.
        left_out: The number of events that were left out, evenly, because there are too many.
        complete: Whether the file was read to its end, and not only to its largest accepted size.
    """

    baselines: Baselines | None
    steps: tuple[Stepped, ...]
    evaluations: tuple[Evaluated, ...]
    samples: tuple[Sampled, ...]
    lag_profiles: tuple[LagProfile, ...]
    test: Tested | None
    unreadable: int
    left_out: int = 0
    complete: bool = True


class RunState(StrEnum):
    """What became of a run."""

    COMPLETE = "complete"
    RUNNING = "running"
    DIVERGED = "diverged"
    STOPPED = "stopped"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class RunSummary(Displayed):
    """A run in a line: what it trained, how far it came and how well it predicts.

    Attributes:
        path: The run directory.
        name: What tells it apart from the runs beside it.
        state: What became of it.
        fault: Why it is damaged; None if it is not.
        texts: The texts it trains on; empty for the bundled corpus.
        text_digest: SHA-256 of that text; None if no checkpoint is readable.
        activation, layers, hidden_size: Its network; None if it is not known.
        alphabet: The number of characters that its model knows.
        seed: Its random seed.
        step: Training steps made.
        steps: Training steps of the whole run at most; None if only time limits it.
        epochs: Passes over the text made; None if it is not known.
        seconds: Its duration.
        validation_nats_per_character: Loss of its best checkpoint on the held-out text.
        validation_bits_per_character: The same in bits.
        ngram_nats_per_character: Loss of the n-gram baseline.
        difference_nats_per_character: Validation loss less that of the n-gram.
        test_nats_per_character: Loss of its best checkpoint on the test text.
        diverged_at: The step at which it diverged, if that is its state.
    """

    path: str
    name: str
    state: RunState
    fault: str | None = None
    texts: tuple[str, ...] = ()
    text_digest: str | None = None
    activation: str | None = None
    layers: int | None = None
    hidden_size: int | None = None
    alphabet: int | None = None
    seed: int | None = None
    step: int | None = None
    steps: int | None = None
    epochs: float | None = None
    seconds: float | None = None
    validation_nats_per_character: float | None = None
    validation_bits_per_character: float | None = None
    ngram_nats_per_character: float | None = None
    difference_nats_per_character: float | None = None
    test_nats_per_character: float | None = None
    diverged_at: int | None = None


@dataclass(frozen=True)
class RunList(Displayed):
    """The runs of a folder, in the order in which they are shown. notes: on what was left out."""

    directory: str
    runs: tuple[RunSummary, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunHistory(Displayed):
    """A run with all that it logged.

    Attributes:
        label: What tells it apart from the other runs of a comparison.
        summary: The run in a line.
        config: Its resolved config as plain values; empty if none is readable.
        log: What it logged.
        notes: What the reader should know, such as that a line of its log was cut off.
    """

    label: str
    summary: RunSummary
    config: dict[str, Any]
    log: RunLog
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunGroup(Displayed):
    """Runs of one config that differ in their seed only; often there is just one.

    label: as of a run, with the number of seeds if there are several.
    """

    label: str
    runs: tuple[RunHistory, ...]
