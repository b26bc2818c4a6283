"""Results as HTML for a notebook, which loads nothing, runs nothing and styles only itself."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from markupsafe import Markup
from rich.console import RenderableType

from charrnn.report.event_lines import as_loss
from charrnn.report.flow_tables import print_gradient_flow
from charrnn.report.gradient_table import print_comparisons, verdict
from charrnn.report.html_charts import picture
from charrnn.report.html_console import printed
from charrnn.report.html_explanations import explanation_parts, part_of_explanation
from charrnn.report.html_runs import (
    compared_parts,
    log_parts,
    model_parts,
    report_parts,
    run_parts,
)
from charrnn.report.html_texts import (
    generated_text,
    message,
    sample_text,
    sample_texts,
    surprisal_text,
    unit_text,
)
from charrnn.report.inspection import print_model_report, print_text_report
from charrnn.report.novelty import print_novelty
from charrnn.report.page_gradients import flow_figure
from charrnn.report.page_source import fragments, page_source
from charrnn.report.run_table import print_runs
from charrnn.report.score_table import print_score
from charrnn.report.sweep_tables import print_sweep
from charrnn.report.terminal import table_console, table_of
from charrnn.report.text_list import print_texts
from charrnn.report.unit_tables import print_units
from charrnn.results import (
    CharacterScores,
    Curves,
    Explanation,
    Generated,
    GradientCheck,
    GradientFlow,
    Matrix,
    ModelReport,
    ModelSummary,
    Novelty,
    ReportedRun,
    RunGroup,
    RunHistory,
    RunList,
    RunLog,
    RunReport,
    RunSummary,
    Samples,
    Statement,
    SweepReport,
    Table,
    TextGradient,
    TextList,
    TextReport,
    TextScore,
    UnitReport,
)
from charrnn.units import BITS_PER_NAT
from charrnn.wording import decimal, pluralize

Parts = list[Markup]
MAX_REPR = 2000  # characters
NO_LOG = RunLog(None, (), (), (), (), None, 0)


def html_of(result: object) -> str:
    """A result as a piece of HTML: a `div` with a style of its own.

    Args:
        result: Any result of a command; of another object, its repr is shown.
    """
    show = PARTS.get(type(result), _repr)
    return str(fragments().result(page_source("result.css"), show(result)))


def _printed(show: Callable[[Any], None]) -> Callable[[Any], Parts]:
    return lambda result: [printed(partial(show, result))]


def _scored(scores: CharacterScores) -> Parts:
    bits = scores.nats * BITS_PER_NAT
    predicted = bits[np.isfinite(bits)]
    words = pluralize(len(predicted), "character") + " predicted"
    if len(predicted):
        words += f", {decimal(float(predicted.mean()))} bits per character"
    return [message(words), surprisal_text(scores)]


def _flow(found: GradientFlow) -> Parts:
    chart = None if found.compared else flow_figure(found, NO_LOG)
    pictures = [picture(chart)] if chart else []
    return [*pictures, printed(lambda: print_gradient_flow(found, bars=not pictures))]


def _check(found: GradientCheck) -> Parts:
    kind = "good" if found.passed else "bad"
    tables = printed(lambda: print_comparisons(found))
    return [message(verdict(found), f"head {kind}"), tables]


def _samples(found: Samples) -> Parts:
    copies = found.novelty
    return [*sample_texts(found), *([printed(lambda: print_novelty(copies))] if copies else ())]


def _gradient(found: TextGradient) -> Parts:
    size = pluralize(found.characters, "character")
    words = f"the gradient of the loss on {size}, {as_loss(found.nats_per_character)}"
    rows: list[dict[str, RenderableType]] = [
        {
            "": name,
            "shape": "×".join(map(str, array.shape)),
            "norm": f"{np.linalg.norm(array):.3e}",
            "largest": f"{np.abs(array).max(initial=0):.3e}",
        }
        for name, array in found.arrays.items()
    ]
    return [message(words), printed(lambda: table_console().print(table_of("", rows, ("",))))]


def _history(run: RunHistory) -> Parts:
    return [_run_row(run.summary), *log_parts(run.log)]


def _run_row(run: RunSummary) -> Markup:
    return printed(lambda: print_runs(RunList(run.path, (run,))))


def _group(group: RunGroup) -> Parts:
    runs = group.runs
    return [
        message(group.label, "head"),
        *compared_parts([run.label for run in runs], [run.log for run in runs]),
    ]


def _repr(result: object) -> Parts:
    shown = repr(result)
    return [sample_text("", shown, MAX_REPR)]


PARTS: dict[type, Callable[[Any], Parts]] = {
    CharacterScores: _scored,
    Curves: part_of_explanation,
    Explanation: explanation_parts,
    Generated: lambda found: [generated_text(found)],
    GradientCheck: _check,
    GradientFlow: _flow,
    Matrix: part_of_explanation,
    ModelReport: _printed(print_model_report),
    ModelSummary: model_parts,
    Novelty: _printed(print_novelty),
    ReportedRun: run_parts,
    RunGroup: _group,
    RunHistory: _history,
    RunList: _printed(print_runs),
    RunReport: report_parts,
    RunSummary: lambda found: [_run_row(found)],
    Samples: _samples,
    Statement: part_of_explanation,
    SweepReport: _printed(print_sweep),
    Table: part_of_explanation,
    TextGradient: _gradient,
    TextList: _printed(print_texts),
    TextReport: _printed(print_text_report),
    TextScore: _printed(print_score),
    UnitReport: lambda found: [*unit_text(found), printed(lambda: print_units(found))],
}
