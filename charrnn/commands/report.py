"""Gathers what a report shows: runs, and measurements on the model of one of them."""

from dataclasses import replace
from math import inf
from pathlib import Path

from charrnn.commands import player
from charrnn.commands.report_measurements import measure
from charrnn.config.layers import load_config
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.results import ReportedRun, RunLog, RunReport
from charrnn.runs.assessment import assess
from charrnn.setup.loading import load_checkpoint, load_model
from charrnn.setup.own_text import Announce
from charrnn.setup.paths import Kind, instead, kind_of
from charrnn.setup.run_files import RunFiles
from charrnn.setup.run_log import read_log
from charrnn.wording import call, setting

GIVE_A_RUN = "give the directory of a run, such as runs/NAME-1."


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
    runs = tuple(reported_run(path) for path in dict.fromkeys(paths))
    held_out = {held_out_text(run.log) for run in runs}
    comparable = len(held_out) == 1 and None not in held_out
    run = min(runs, key=lambda run: _least_loss(run.log)) if comparable else runs[0]
    report = RunReport(run, runs, comparable, None, None, ())
    try:
        model = load_model(run.path)
    except InputError as error:
        without = "The model of this run cannot be read, so what is measured on it is left out."
        return replace(report, missing=(without,)), (f"the model is left out: {error}",)
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
    return report, (*model.notes, *notes)


def require_single_model(paths: list[str], text: str | None, without_model: bool) -> None:
    """Raises UsageError for what a page of a model alone has no use for."""
    if len(paths) > 1:
        raise UsageError("`play_only` is given several models.", "give one of them.")
    for option, given in (("text", text is not None), ("no_model", without_model)):
        if given:
            raise UsageError(
                f"`play_only` and `{option}` are both given.", "leave out one of them."
            )


def reported_run(path: str) -> ReportedRun:
    """A run with its config, its log and how it went.

    Raises:
        InputError: It is no run, or has logged nothing.
    """
    files = RunFiles(Path(path))
    if not files.metrics.is_file():
        raise _no_log(path, files)
    log = read_log(files.metrics)
    if not (log.steps or log.evaluations):
        raise InputError(
            f"{files.metrics} has no training step.",
            f"train for longer: {call('train', resume=path)}",
        )
    config = _config(files)
    return ReportedRun(path, config.model_dump(mode="json"), log, assess(config, log, path))


def _no_log(path: str, files: RunFiles) -> InputError:
    """What is wrong with a path that has no log, and what to give instead."""
    kind = kind_of(path)
    if kind is Kind.MISSING:
        return InputError(f"there is no run {path!r}.", GIVE_A_RUN)
    if kind is Kind.RUN or (kind is Kind.TEXT and files.path.is_dir()):
        ways = [GIVE_A_RUN]
        if kind is Kind.RUN:
            ways = [f"look at its model: {call('inspect', path)}"]
        if files.config.is_file():
            ways.append(f"train it again: {call('train', config=str(files.config))}")
        return InputError(
            f"{path} has no metrics.jsonl, the log that a report is made of.", "; or ".join(ways)
        )
    hint = instead(path, kind) if kind in (Kind.RUNS, Kind.CONFIG) else GIVE_A_RUN
    run = files.path.absolute().parent.parent
    if kind is Kind.CHECKPOINT and RunFiles(run).metrics.is_file():
        hint = f"give its run: {call('report', str(files.path.parent.parent))}"
    return InputError(f"{path} is {kind.value}, not a run.", hint)


def _config(files: RunFiles) -> Config:
    """The config of a run: that of its directory, or else of its newest sound checkpoint."""
    try:
        return load_config(str(files.config), [], {})
    except UsageError as error:
        for checkpoint in files.candidates():
            try:
                return load_checkpoint(checkpoint)[1]
            except InputError:
                continue
        raise InputError(
            f"{files.path} has no config that can be read: {error}",
            f"restore {setting('config', str(files.config))}",
        ) from None


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
