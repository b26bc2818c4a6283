"""The results of commands, which `report/` prints and `--json` writes."""

from charrnn.results.gradients import (
    ALL_PARAMETERS,
    Agreement,
    CheckedProblem,
    Decay,
    Entry,
    Flow,
    GradientCheck,
    GradientFlow,
    Saturation,
    Spectrum,
    Truncation,
    Verdict,
)
from charrnn.results.reports import (
    Alphabet,
    CheckpointSummary,
    ModelReport,
    Samples,
    TextReport,
    TextScore,
    Trial,
)

__all__ = [
    "ALL_PARAMETERS",
    "Agreement",
    "Alphabet",
    "CheckedProblem",
    "CheckpointSummary",
    "Decay",
    "Entry",
    "Flow",
    "GradientCheck",
    "GradientFlow",
    "ModelReport",
    "Samples",
    "Saturation",
    "Spectrum",
    "TextReport",
    "TextScore",
    "Trial",
    "Truncation",
    "Verdict",
]
