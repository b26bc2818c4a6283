"""The results of commands, which `report/` prints and `--json` writes."""

from charrnn.results.assessments import Advice, Assessment, Remedy, RunFigures, Standing
from charrnn.results.configs import DescribedConfig
from charrnn.results.display import Displayed, show_with
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
from charrnn.results.exports import ExportReport
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
from charrnn.results.models import ModelSummary
from charrnn.results.novelty import Copy, Items, Novelty, Overlap
from charrnn.results.plans import Plan
from charrnn.results.playable import PlayableModel
from charrnn.results.reports import (
    Alphabet,
    CheckpointSummary,
    ModelReport,
    TextReport,
    Trial,
)
from charrnn.results.run_reports import MeasuredModel, ReportedRun, RunReport
from charrnn.results.runs import (
    RunGroup,
    RunHistory,
    RunList,
    RunLog,
    RunState,
    RunSummary,
)
from charrnn.results.samples import Generated, Samples
from charrnn.results.scores import DynamicScore, TextBaselines, TextScore
from charrnn.results.surprisal import CharacterScores
from charrnn.results.sweeps import (
    Repeated,
    SearchedSetting,
    SweepReport,
    SweepTrial,
    TrialState,
)
from charrnn.results.text_gradient import TextGradient
from charrnn.results.texts import ClearedTexts, NamedText, StoredText, TextList, TextState
from charrnn.results.units import FeatureFollower, UnitCorrelation, UnitReport

__all__ = [
    "ALL_PARAMETERS",
    "Advice",
    "Agreement",
    "Alphabet",
    "Assessment",
    "CharacterScores",
    "CheckedProblem",
    "CheckpointSummary",
    "ClearedTexts",
    "Columns",
    "Copy",
    "Curves",
    "Decay",
    "DescribedConfig",
    "Displayed",
    "DynamicScore",
    "Entry",
    "ExplainedNetwork",
    "Explanation",
    "ExportReport",
    "FeatureFollower",
    "Flow",
    "Generated",
    "GradientCheck",
    "GradientFlow",
    "Items",
    "Matrix",
    "MeasuredModel",
    "ModelReport",
    "ModelSummary",
    "NamedText",
    "Novelty",
    "Overlap",
    "Part",
    "Plan",
    "PlayableModel",
    "Remedy",
    "Repeated",
    "ReportedRun",
    "RunFigures",
    "RunGroup",
    "RunHistory",
    "RunList",
    "RunLog",
    "RunReport",
    "RunState",
    "RunSummary",
    "Samples",
    "Saturation",
    "SearchedSetting",
    "Spectrum",
    "Standing",
    "Statement",
    "StoredText",
    "SweepReport",
    "SweepTrial",
    "Table",
    "TextBaselines",
    "TextGradient",
    "TextList",
    "TextReport",
    "TextScore",
    "TextState",
    "Trial",
    "TrialState",
    "Truncation",
    "UnitCorrelation",
    "UnitReport",
    "Verdict",
    "show_with",
]
