"""Writes the report of a run as one HTML page, which loads nothing and whose content is data."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
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
from charrnn.report.player import player
from charrnn.results import ReportedRun, RunReport


def report_page(report: RunReport) -> str:
    """The page of a report."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("charrnn", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    run, model = report.run, report.model
    compared = report.compared if len(report.compared) > 1 else ()
    figures = _figures(run, report, compared)
    passage = surprisal_passage(model.scores) if model and model.scores else None
    units = unit_passage(model.units) if model and model.units else None
    part = player(report.playable) if report.playable else None
    style = _source("report.css") + (str(part.style) if part else "")
    scripts = [_source("report.js"), *([str(part.script)] if part else ())]
    values: dict[str, Any] = {"charts": {name: found.values for name, found in figures.items()}}
    if passage:
        values["passage"] = passage.values
    if units:
        values["units"] = units.values
    page: str = templates.get_template("report.html").render(
        policy=content_policy(scripts, [style]),
        style=style,
        scripts=scripts,
        player=part,
        values=values,
        version=__version__,
        name=page_facts.name_of_run(run),
        headline=page_facts.HEADLINES[run.assessment.standing],
        standing=run.assessment.standing,
        assessment=run.assessment,
        pieces=page_facts.sentence_pieces,
        key_figures=page_facts.key_figures(run, model),
        bars=page_facts.bars(run.log),
        figures=figures,
        samples=page_facts.samples(run.log),
        passage=passage,
        units=units,
        text=page_facts.shown(model.text) if model else "",
        decay=model.flow.flows[-1].decay if model and model.flow else None,
        facts=page_facts.facts(run, model),
        settings=page_facts.settings(run.config),
        compared=page_facts.comparison_rows(compared, run),
        comparable=report.comparable,
        missing=report.missing,
    )
    return page


def _figures(
    run: ReportedRun, report: RunReport, compared: tuple[ReportedRun, ...]
) -> dict[str, Figure]:
    log, model, clip = run.log, report.model, run.config["training"]["clip"]
    labels = [page_facts.name_of_run(one) for one in compared]
    found = [
        loss_figure(log),
        gradient_figure(log, clip["threshold"] if clip["by"] == "norm" else None),
        clipped_figure(log) if clip["by"] != "none" else None,
        rate_figure(log),
        flow_figure(model.flow if model else None, log),
        history_figure(log),
        terms_figure(model.terms) if model and model.terms else None,
        comparison_figure(compared, labels),
    ]
    return {figure.name: figure for figure in found if figure}


def content_policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """A Content-Security-Policy that allows these inline scripts and styles, and nothing else."""
    allowed = {"script-src": scripts, "style-src": styles}
    rules = [f"{what} {' '.join(map(_hash, contents))}" for what, contents in allowed.items()]
    return "; ".join(["default-src 'none'", *rules, "base-uri 'none'", "form-action 'none'"])


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _source(name: str) -> str:
    return (files("charrnn") / "page" / name).read_text(encoding="utf-8")
