"""Runs in a notebook: how one went, several compared, and what a model is."""

from collections.abc import Sequence
from functools import partial

from markupsafe import Markup
from rich.console import RenderableType
from rich.text import Text

from charrnn.report import page_facts
from charrnn.report.event_lines import as_loss
from charrnn.report.html_charts import picture
from charrnn.report.html_console import printed
from charrnn.report.html_texts import message, sample_text, surprisal_text
from charrnn.report.inspection import shown as shown_character
from charrnn.report.page_curves import comparison_figure, loss_figure
from charrnn.report.page_source import fragments
from charrnn.report.run_table import text_name
from charrnn.report.terminal import table_console, table_of
from charrnn.results import MeasuredModel, ModelSummary, ReportedRun, RunLog, RunReport
from charrnn.system.escaping import drawable
from charrnn.wording import activation_name, layer_sizes, pluralize

BAD = ("diverged", "useless")
MAX_ALPHABET = 200  # characters that are shown


def run_parts(run: ReportedRun, model: MeasuredModel | None = None) -> list[Markup]:
    """The verdict on a run, its figures, curves and last sample, and what to change."""
    found, kind = run.assessment, "bad" if run.assessment.standing in BAD else ""
    return [
        message(f"run {run.label}", "quiet"),
        message(f"{page_facts.headline(run)}.", f"head {kind}"),
        message(found.reason),
        fragments().figures(page_facts.key_figures(run, model)),
        *log_parts(run.log),
        *map(message, (*found.notes, *(way.sentence for way in found.advice))),
    ]


def log_parts(log: RunLog) -> list[Markup]:
    """The losses that a run logged, and its last sample."""
    losses = loss_figure(log)
    parts = [picture(losses)] if losses else []
    for sample in log.samples[-1:]:
        parts.append(sample_text(f"sample at step {sample.step:,}", sample.text))
    return parts


def compared_parts(labels: Sequence[str], logs: Sequence[RunLog]) -> list[Markup]:
    """The held-out losses of several runs in one chart."""
    losses = comparison_figure(logs, [page_facts.shown(label) for label in labels])
    return [picture(losses)] if losses else []


def report_parts(report: RunReport) -> list[Markup]:
    """A run, the others compared with it, and where its model is surprised."""
    parts = run_parts(report.run, report.model)
    if len(report.compared) > 1:
        parts.append(printed(partial(_comparison, report)))
        parts += compared_parts(
            [run.label for run in report.compared], [run.log for run in report.compared]
        )
        if not report.comparable:
            parts.append(message("The runs were evaluated on different texts.", "note"))
    if report.model and report.model.scores:
        parts.append(message(f"{report.model.text}, by its surprisal", "head"))
        parts.append(surprisal_text(report.model.scores))
    return parts


def model_parts(model: ModelSummary) -> list[Markup]:
    """A model in a few facts."""
    best = model.validation_nats_per_character
    letters = "".join(map(shown_character, model.alphabet[:MAX_ALPHABET]))
    rows = {
        "network": f"{activation_name(model.activation)}, "
        f"{layer_sizes(model.layers, model.hidden_size)}, {model.weights:,} weights",
        "alphabet": f"{pluralize(len(model.alphabet), 'character')}: {letters}",
        "text": f"{text_name(model.texts)}: {pluralize(model.text_size, 'character')}, read as "
        f"{model.sequences}",
        "trained": pluralize(model.step, "step"),
        "best": "not evaluated yet" if best is None else f"{as_loss(best)} on the held-out text",
    }
    facts = [(name, drawable(value)) for name, value in rows.items()]
    return [message(model.name, "head"), fragments().facts(facts)]


def _comparison(report: RunReport) -> None:
    """Prints the runs side by side, with the settings that differ."""
    headings = {"run": "name", "nats": "loss", "bits": "bits", "steps": "steps", "time": "time"}
    rows: list[dict[str, RenderableType]] = [
        {heading: Text(row[key]) for heading, key in headings.items()}
        | {"verdict": row["standing"]}
        | {key: Text(value) for key, value in row["differs"]}
        for row in page_facts.comparison_rows(report.compared, report.run)
    ]
    table_console().print(table_of("", rows, ("run", "verdict")))
