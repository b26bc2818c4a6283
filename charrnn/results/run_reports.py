"""Results of a report on runs."""

from dataclasses import dataclass
from typing import Any

from charrnn.results.assessments import Assessment
from charrnn.results.display import Displayed
from charrnn.results.explanations import Matrix
from charrnn.results.gradients import GradientFlow
from charrnn.results.playable import PlayableModel
from charrnn.results.runs import RunLog
from charrnn.results.surprisal import CharacterScores
from charrnn.results.units import UnitReport


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
