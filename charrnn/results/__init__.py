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
from charrnn.results.playable import PlayableModel
from charrnn.results.reports import (
    Alphabet,
    CheckpointSummary,
    ModelReport,
    Samples,
    TextReport,
    TextScore,
    Trial,
)
from charrnn.results.run_reports import Assessment, MeasuredModel, ReportedRun, RunReport
from charrnn.results.runs import RunLog
from charrnn.results.surprisal import CharacterScores
from charrnn.results.units import FeatureFollower, UnitCorrelation, UnitReport

__all__ = [
    "ALL_PARAMETERS",
    "Agreement",
    "Alphabet",
    "Assessment",
    "CharacterScores",
    "CheckedProblem",
    "CheckpointSummary",
    "Columns",
    "Curves",
    "Decay",
    "Entry",
    "ExplainedNetwork",
    "Explanation",
    "FeatureFollower",
    "Flow",
    "GradientCheck",
    "GradientFlow",
    "Matrix",
    "MeasuredModel",
    "ModelReport",
    "Part",
    "PlayableModel",
    "ReportedRun",
    "RunLog",
    "RunReport",
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
