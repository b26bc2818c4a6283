"""`charrnn sweep`."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from charrnn.cli import completers
from charrnn.cli.options import ConfigOption, JsonOption, SetOption, one_config
from charrnn.cli.settings import OPTIONS, settings_options
from charrnn.errors import UsageError


@settings_options(*OPTIONS)
def sweep_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Text files, directories or names of texts, joined in order. By default the "
            "bundled corpus. With --show, the folder of a sweep.",
            show_default=False,
            autocompletion=completers.texts,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    space: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="YAML file of the settings to vary, and their values."),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Trials in all.  [default: 20, or all points of a grid]"
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Train the best with N seeds in all.")
    ] = 1,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the study; its runs are in sweeps/NAME.  [default: TEXT-SPACE]",
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Where the study is stored: a file, or the URL of a database.  [default: "
            "sweeps/NAME/study.journal]",
        ),
    ] = None,
    sampler: Annotated[
        Literal["random", "grid", "tpe"],
        typer.Option(help="How to choose what to try next."),
    ] = "tpe",
    pruner: Annotated[
        Literal["none", "median", "hyperband"],
        typer.Option(help="When to stop trials that look worse than others."),
    ] = "none",
    jobs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes that share the cores.")
    ] = 1,
    show: Annotated[
        bool,
        typer.Option(
            "--show", help="Show what a sweep has found so far, instead of working on it."
        ),
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Also write the config of the best trial, for -c."),
    ] = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Search for settings: train many runs, and compare their validation losses.

    Start the same command on other machines to work on one study together, and again to continue
    it. Every trial is a run: what is set here holds for all of them.
    """
    from charrnn.report.run_log import make_log
    from charrnn.report.sweep_lines import SweepLines
    from charrnn.report.verbosity import Verbosity, set_verbosity, verbosity
    from charrnn.system.extras import import_extra

    if export is not None:
        from charrnn.commands.run_files import require_output
        from charrnn.wording import setting

        require_output(setting("export", export), export)
    if show:
        return show_sweep(text or [], study, storage, export, json)
    if space is None:
        raise UsageError(
            "`space` is missing: the file of the settings to vary.",
            "write one, such as space.yaml with: optimizer.learning_rate: {log: [1e-3, 1e-2]}",
        )
    import_extra("optuna", "sweep", "a sweep")
    from charrnn.commands.sweep import Search, open_sweep, trial_sinks, work_on

    emit = (lambda event: None) if verbosity() is Verbosity.QUIET else SweepLines()
    opened = open_sweep(
        text or [],
        one_config(config),
        assignments or [],
        settings,
        Search(space, trials, seeds, study, storage, sampler, pruner, jobs),
        partial(trial_sinks, make_log),
        emit,
        partial(set_verbosity, verbosity()),
    )
    work_on(opened, emit)
    show_sweep([], opened.assignment.study, storage, export, json)


def show_sweep(
    paths: list[str], study: str | None, storage: str | None, export: str | None, json: bool
) -> None:
    """Writes what a sweep has found, and the config of its best trial to a file."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_note
    from charrnn.report.sweep_config import best_config_text
    from charrnn.report.sweep_tables import print_sweep
    from charrnn.system.extras import import_extra
    from charrnn.system.files import write_atomically

    import_extra("optuna", "sweep", "a sweep")
    from charrnn.commands.sweep_report import best_config, one_study, report_sweep

    report = report_sweep(one_study(paths, study), storage)
    if export is not None:
        content = best_config_text(report, best_config(report))
        write_atomically(Path(export), content.encode())
        write_note(f"the config of trial {report.best[0]} is in {export}")
    if json:
        write_json(asdict(report))
    else:
        print_sweep(report)
