"""How a run went, judged by its log, and what to try next."""

from dataclasses import dataclass, field
from typing import Any, Literal

from charrnn.wording import as_typed

SEED_VARIATION = 0.02  # nats per character by which runs with different seeds differ
Standing = Literal[
    "diverged", "useless", "overfitting", "short", "low_rate", "high_rate", "learning",
    "underfitting", "settled",
]  # fmt: skip
Remedy = Literal[
    "resume", "longer", "shorter", "larger", "relu", "dropout", "anneal", "lower_rate",
    "higher_rate", "more_text", "hold_out",
]  # fmt: skip


@dataclass(frozen=True)
class RunFigures:
    """What the verdict on a run rests on; losses are in nats per character.

    Attributes:
        held_out: Whether `best`, `last` and `gained` are of the held-out text; they are of the
            training text if nothing is held out.
        best: The lowest loss.
        best_step: The step at which it was measured.
        last: The loss at the end.
        training: The training loss at the end.
        training_since: How much the training loss has fallen since the best step.
        gained: How much the loss fell in the second half of the run.
        training_gained: How much the training loss fell in that half.
        worst: The highest training loss of a step that was logged; None if none was.
        ngram, unigram: The losses of the n-gram model, and of the counts of single characters, on
            the held-out text; None if not known.
        uniform: The loss if all characters are equally likely; None if not known.
        steps: The steps made.
        epochs: How often the training text was read; None if not known.
        rollbacks: How often the run was rolled back.
        used: The fraction of the run's budget that is used.
        complete: Whether that is all, or its patience is used up.
    """

    held_out: bool
    best: float
    best_step: int
    last: float
    training: float
    training_since: float
    gained: float
    training_gained: float
    worst: float | None
    ngram: float | None
    unigram: float | None
    uniform: float | None
    steps: int
    epochs: float | None
    rollbacks: int
    used: float
    complete: bool

    @property
    def gap(self) -> float:
        """How far the training loss is below the held-out loss, relative to the latter."""
        return (self.last - self.training) / max(self.last, 1e-9)

    @property
    def hardly_learned(self) -> bool:
        """Whether the loss is nearer to that of single characters than to that of the n-gram."""
        if self.ngram is None or self.unigram is None:
            return False
        return self.best > (self.unigram + self.ngram) / 2 + SEED_VARIATION


@dataclass(frozen=True)
class Advice:
    """One change that may help.

    Attributes:
        remedy: What it is.
        words: The same as an imperative, without a full stop.
        changes: The setting that it changes, by its dotted key; empty if none does.
        command: The command that makes it, as `wording.call` writes it; empty if the run has no
            directory, or no command does.
    """

    remedy: Remedy
    words: str
    changes: dict[str, Any] = field(default_factory=dict)
    command: str = ""

    @property
    def sentence(self) -> str:
        """The words with the setting, or with the command if there is none."""
        settings = [f"`{key}={as_typed(value)}`" for key, value in self.changes.items()]
        what = settings[0] if settings else self.command
        return f"{self.words}: {what}" if what else f"{self.words}."


@dataclass(frozen=True)
class Assessment:
    """How a run went, judged by its log.

    Attributes:
        standing: "diverged" if that stopped the training; "useless" if the model is no better than
            guessing; "overfitting" if held-out loss rose again while training loss fell; "short" if
            there are too few evaluations to tell; "low_rate" or "high_rate" if the learning rate
            was at fault; "learning" if the loss was still falling; "underfitting" if it was not,
            but counting characters predicts better; "settled" otherwise.
        reason: What in the log says so.
        figures: What it rests on; None without an evaluation.
        notes: What else the log shows.
        advice: What to try, the most promising first; none if the log does not tell.
    """

    standing: Standing
    reason: str
    figures: RunFigures | None = None
    notes: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
