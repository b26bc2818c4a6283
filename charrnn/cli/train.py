"""`charrnn train`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption, PlannedConfigOption, SetOption, one_config
from charrnn.cli.settings import OPTIONS, settings_options


@settings_options(*OPTIONS)
def train_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Text files, directories or names of texts, joined in order; - reads stdin. By "
            "default the bundled corpus.",
            show_default=False,
            autocompletion=completers.texts,
        ),
    ] = None,
    config: PlannedConfigOption = None,
    assignments: SetOption = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Run directory.  [default: runs/NAME-N]"),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Resume the run in this directory.",
            autocompletion=completers.runs,
        ),
    ] = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Train a model on text.

    When done, print the path of the best checkpoint.
    """
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_line, write_note
    from charrnn.commands.ranks import joined_ranks
    from charrnn.commands.train import assessed, logged, set_up, trackers, train
    from charrnn.report.advice import assessment_document, say_advice
    from charrnn.report.console import make_console_sink
    from charrnn.report.messages import say_message
    from charrnn.report.run_log import make_log
    from charrnn.report.verbosity import Verbosity, verbosity

    with joined_ranks() as leads:
        if not leads:
            return
        run = set_up(
            text or [], one_config(config), assignments or [], settings, out, resume, write_note
        )
        logging = run.config.logging
        log = make_log(run.directory.metrics, run.state.progress.step, logging.every_steps)
        quiet = verbosity() is Verbosity.QUIET
        try:
            console = [] if quiet else [make_console_sink(lambda: logged(run))]
            ended = train(run, [log, *trackers(run), *console])
        finally:
            for note in log.notes:
                write_note(note)
        if quiet and ended.failure:
            say_message("warning", ended.failure)
        assessment = assessed(run)
        if assessment and not quiet:
            say_advice(assessment)
        if json:
            advice = assessment_document(assessment) if assessment else None
            plan = run.plan and asdict(run.plan)
            write_json(vars(ended) | {"plan": plan, "advice": advice})
        else:
            write_line(ended.checkpoint)
