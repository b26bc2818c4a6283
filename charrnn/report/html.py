"""Results as HTML for a notebook, which loads nothing, runs nothing and styles only itself."""

from collections.abc import Callable
from functools import partial
from typing import Any

from markupsafe import Markup

from charrnn.report.explanation import print_explanation
from charrnn.report.flow_tables import print_gradient_flow
from charrnn.report.gradient_table import print_gradient_table
from charrnn.report.html_console import printed
from charrnn.report.inspection import print_model_report, print_text_report
from charrnn.report.novelty import print_novelty
from charrnn.report.page_source import fragments, page_source
from charrnn.report.run_table import print_runs
from charrnn.report.score_table import print_score
from charrnn.report.unit_tables import print_units
from charrnn.results import (
    Explanation,
    GradientCheck,
    GradientFlow,
    ModelReport,
    Novelty,
    RunList,
    TextReport,
    TextScore,
    UnitReport,
)
from charrnn.system.escaping import drawable

Parts = list[Markup]
MAX_REPR = 2000  # characters
PRINTERS: dict[type, Callable[[Any], None]] = {
    Explanation: print_explanation,
    GradientCheck: print_gradient_table,
    GradientFlow: print_gradient_flow,
    ModelReport: print_model_report,
    Novelty: print_novelty,
    RunList: print_runs,
    TextReport: print_text_report,
    TextScore: print_score,
    UnitReport: print_units,
}


def html_of(result: object) -> str:
    """A result as a piece of HTML: a `div` with a style of its own.

    Args:
        result: Any result of a command; of another object, its repr is shown.
    """
    return str(fragments().result(page_source("result.css"), _parts(result)))


def _parts(result: object) -> Parts:
    show = PRINTERS.get(type(result))
    return [printed(partial(show, result))] if show else [_repr(result)]


def _repr(result: object) -> Markup:
    shown = drawable(repr(result)[:MAX_REPR])
    text: Markup = fragments().text("", [(shown, "")], "")
    return text
