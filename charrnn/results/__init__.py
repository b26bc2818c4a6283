"""The results of commands, which `report/` prints and `--json` writes."""

from charrnn.results.explanations import (
    Columns,
    Curves,
    ExplainedNetwork,
    Explanation,
    Matrix,
    Part,
    Statement,
    Table,
)
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
from charrnn.results.novelty import Copy, Items, Novelty, Overlap
from charrnn.results.reports import (
    Alphabet,
    CheckpointSummary,
    ModelReport,
    TextReport,
    TextScore,
    Trial,
)
from charrnn.results.runs import RunLog
from charrnn.results.samples import Generated, Samples
from charrnn.results.surprisal import CharacterScores
from charrnn.results.units import UnitCorrelation, UnitReport

__all__ = [
    "ALL_PARAMETERS",
    "Agreement",
    "Alphabet",
    "CharacterScores",
    "CheckedProblem",
    "CheckpointSummary",
    "Columns",
    "Copy",
    "Curves",
    "Decay",
    "Entry",
    "ExplainedNetwork",
    "Explanation",
    "Flow",
    "Generated",
    "GradientCheck",
    "GradientFlow",
    "Items",
    "Matrix",
    "ModelReport",
    "Novelty",
    "Overlap",
    "Part",
    "RunLog",
    "Samples",
    "Saturation",
    "Spectrum",
    "Statement",
    "Table",
    "TextReport",
    "TextScore",
    "Trial",
    "Truncation",
    "UnitCorrelation",
    "UnitReport",
    "Verdict",
]
