"""Writes the report of a run as one HTML page, which loads nothing and whose content is data."""

from typing import Any

from charrnn import __version__
from charrnn.report import page_facts
from charrnn.report.page_curves import (
    clipped_figure,
    comparison_figure,
    gradient_figure,
    loss_figure,
    rate_figure,
)
from charrnn.report.page_figures import Figure
from charrnn.report.page_gradients import flow_figure, history_figure, terms_figure
from charrnn.report.page_passages import surprisal_passage, unit_passage
from charrnn.report.page_source import content_policy, page_source, templates
from charrnn.report.player import player
from charrnn.results import RunReport


def report_page(report: RunReport) -> str:
    """The page of a report."""
    part = player(report.playable) if report.playable else None
    style = page_source("report.css") + (str(part.style) if part else "")
    scripts = [page_source("report.js"), *([str(part.script)] if part else ())]
    page: str = (
        templates()
        .get_template("report.html")
        .render(
            policy=content_policy(scripts, [style]),
            style=style,
            scripts=scripts,
            player=part,
            version=__version__,
            missing=report.missing,
            pieces=page_facts.sentence_pieces,
            **_of_the_run(report),
            **_of_the_model(report),
        )
    )
    return page


def _of_the_run(report: RunReport) -> dict[str, Any]:
    """What the page says about the run, by the log and the settings."""
    run, model = report.run, report.model
    compared = report.compared if len(report.compared) > 1 else ()
    return {
        "name": page_facts.name_of_run(run),
        "headline": page_facts.headline(run),
        "standing": run.assessment.standing,
        "assessment": run.assessment,
        "key_figures": page_facts.key_figures(run, model),
        "bars": page_facts.bars(run.log),
        "samples": page_facts.samples(run.log),
        "facts": page_facts.facts(run, model),
        "settings": page_facts.settings(run.config),
        "compared": page_facts.comparison_rows(compared, run),
        "comparable": report.comparable,
    }


def _of_the_model(report: RunReport) -> dict[str, Any]:
    """The figures, and what was measured on the model, with what the script shows of them."""
    model, figures = report.model, _figures(report)
    passage = surprisal_passage(model.scores) if model and model.scores else None
    units = unit_passage(model.units) if model and model.units else None
    values: dict[str, Any] = {"charts": {name: found.values for name, found in figures.items()}}
    values |= {"passage": passage.values} if passage else {}
    values |= {"units": units.values} if units else {}
    return {
        "figures": figures,
        "passage": passage,
        "units": units,
        "text": page_facts.shown(model.text) if model else "",
        "decay": model.flow.flows[-1].decay if model and model.flow else None,
        "values": values,
    }


def _figures(report: RunReport) -> dict[str, Figure]:
    """The figures that there are, by their names."""
    log, model, clip = report.run.log, report.model, report.run.config["training"]["clip"]
    compared = report.compared if len(report.compared) > 1 else ()
    labels = [page_facts.name_of_run(one) for one in compared]
    found = [
        loss_figure(log),
        gradient_figure(log, clip["threshold"] if clip["by"] == "norm" else None),
        clipped_figure(log) if clip["by"] != "none" else None,
        rate_figure(log),
        flow_figure(model.flow if model else None, log),
        history_figure(log),
        terms_figure(model.terms) if model and model.terms else None,
        comparison_figure([one.log for one in compared], labels),
    ]
    return {figure.name: figure for figure in found if figure}
