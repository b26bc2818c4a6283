"""Gathers what a report shows: runs, and measurements on the model of one of them."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

from charrnn.commands import player
from charrnn.commands.curves import load_runs
from charrnn.commands.report_measurements import measure
from charrnn.config.layers import check_config
from charrnn.errors import InputError, UsageError
from charrnn.results import ReportedRun, RunHistory, RunLog, RunReport
from charrnn.runs.advice import advise_after_divergence
from charrnn.runs.assessment import assess
from charrnn.setup.loading import load_model
from charrnn.setup.own_text import Announce
from charrnn.setup.run_files import RunFiles


def report_runs(
    paths: list[str],
    text: str | None = None,
    unknown: str | None = None,
    playable: bool = True,
    max_size: float | None = None,
    announce: Announce = lambda note: None,
) -> tuple[RunReport, tuple[str, ...]]:
    """Reports on a run; of several, on the best if they can be compared, else on the first.

    Args:
        paths: The run directories.
        text: A text to measure the model on; None for the one that its run held out.
        unknown: What to do with characters of it that the model does not know; see
            `unknown_policy`.
        playable: Whether the model itself is part of the report, to write with it.
        max_size: The bytes that it may take; see `playable_model`.
        announce: Called with a note before a text is read that only a checkpoint names.

    Returns:
        The report, and notes on what is left out.

    Raises:
        InputError: A path is no run, or a run has logged nothing; or `text` is unusable.
        UsageError: `text` is not a text.
    """
    histories = load_runs(paths)
    logged = tuple(note for history in histories for note in history.notes)
    runs = tuple(map(reported_run, histories))
    held_out = {held_out_text(run.log) for run in runs}
    comparable = len(held_out) == 1 and None not in held_out
    run = min(runs, key=lambda run: _least_loss(run.log)) if comparable else runs[0]
    report = RunReport(run, runs, comparable, None, None, ())
    try:
        model = load_model(run.path)
    except InputError as error:
        without = "The model of this run cannot be read, so what is measured on it is left out."
        return replace(report, missing=(without,)), (*logged, f"the model is left out: {error}")
    measured, missing, notes = measure(model, text, unknown, announce)
    embedded = None
    if playable:
        try:
            embedded = player.playable(model, max_size)
        except InputError as error:
            missing += ("The model itself is too large for this page.",)
            more = error.hint or ""
            notes += (f"the model is left out of the page: {error} {more[:1].upper()}{more[1:]}",)
    report = replace(report, model=measured, playable=embedded, missing=missing)
    return report, (*logged, *model.notes, *notes)


def require_single_model(paths: Sequence[object], text: str | None, without_model: bool) -> None:
    """Raises UsageError for what a page of a model alone has no use for."""
    if len(paths) > 1:
        raise UsageError("`play_only` is given several models.", "give one of them.")
    for option, given in (("text", text is not None), ("no_model", without_model)):
        if given:
            raise UsageError(
                f"`play_only` and `{option}` are both given.", "leave out one of them."
            )


def reported_run(run: RunHistory) -> ReportedRun:
    """A run and how it went. Raises InputError if no config of it can be read."""
    if not run.config:
        raise InputError(
            f"{run.summary.path} has no config that can be read: {run.summary.fault}",
            f"restore {RunFiles(Path(run.summary.path)).config}, or leave this run out.",
        )
    config = check_config(run.config)
    assessed = assess(config, run.log, run.summary.path)
    if (step := run.summary.diverged_at) is not None:
        assessed = replace(
            assessed,
            standing="diverged",
            reason=f"Training diverged at step {step:,}, and stopped.",
            advice=advise_after_divergence(config, run.summary.path),
        )
    return ReportedRun(run.summary.path, run.label, run.config, run.log, assessed)


def held_out_text(log: RunLog) -> tuple[float, float] | None:
    """What tells held-out texts apart: the baselines on them; None if there are none."""
    if not log.baselines:
        return None
    return (
        round(log.baselines.uniform_nats_per_character, 9),
        round(log.baselines.ngram_nats_per_character, 9),
    )


def _least_loss(log: RunLog) -> float:
    losses = [found.validation_nats_per_character for found in log.evaluations]
    return min((loss for loss in losses if loss is not None and loss == loss), default=inf)
