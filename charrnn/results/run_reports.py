"""Results of a report on runs."""

from dataclasses import dataclass
from typing import Any, Literal

from charrnn.results.display import Displayed
from charrnn.results.explanations import Matrix
from charrnn.results.gradients import GradientFlow
from charrnn.results.playable import PlayableModel
from charrnn.results.runs import RunLog
from charrnn.results.surprisal import CharacterScores
from charrnn.results.units import UnitReport

SEED_VARIATION = 0.02  # nats per character by which runs with different seeds differ
Standing = Literal[
    "diverged", "useless", "overfitting", "short", "learning", "underfitting", "settled"
]


@dataclass(frozen=True)
class Assessment:
    """How a run went, judged by its log.

    Attributes:
        standing: "diverged" if that stopped the training; "useless" if the model is no better than
            guessing; "overfitting" if held-out loss rose again; "short" if there are too few
            evaluations to tell; "learning" if the loss was still falling at the end; "underfitting"
            if it was not, but counting characters predicts better; "settled" otherwise.
        reason: What in the log says so.
        notes: What else the log shows.
        advice: What to change, with settings in backquotes.
    """

    standing: Standing
    reason: str
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeasuredModel:
    """A model, and what was measured on it.

    Attributes:
        checkpoint: The file that it was read from.
        step: The training steps that it has made.
        weights: Their number.
        alphabet: The characters that it knows.
        text: What the measurements are on, in words; empty if there are none.
        scores: How well it predicts a passage.
        flow: How gradients flow back through it.
        terms: The norms of the terms of the double sum over a short passage.
        units: What its units follow in the passage.
    """

    checkpoint: str
    step: int
    weights: int
    alphabet: tuple[str, ...]
    text: str = ""
    scores: CharacterScores | None = None
    flow: GradientFlow | None = None
    terms: Matrix | None = None
    units: UnitReport | None = None


@dataclass(frozen=True)
class ReportedRun(Displayed):
    """A run as a report shows it.

    Attributes:
        path: Its directory, as the user named it.
        label: Its name, which tells it apart from the others.
        config: Its config.
        log: Its log.
        assessment: How it went.
    """

    path: str
    label: str
    config: dict[str, Any]
    log: RunLog
    assessment: Assessment


@dataclass(frozen=True)
class RunReport(Displayed):
    """One run in full, and the others that it is compared with.

    Attributes:
        run: The run that is shown in full.
        compared: All runs, in the order in which they were given.
        comparable: Whether they were evaluated on the same text.
        model: What was measured on its model; None if it cannot be read.
        playable: The model, to write with it in the page; None if it is left out.
        missing: The parts that are left out, and why.
    """

    run: ReportedRun
    compared: tuple[ReportedRun, ...]
    comparable: bool
    model: MeasuredModel | None
    playable: PlayableModel | None
    missing: tuple[str, ...]
