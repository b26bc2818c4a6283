"""`charrnn train`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from charrnn.cli.options import (
    ConfigOption,
    EncodingOption,
    ErrorsOption,
    ExcludeOption,
    ExtendVocabularyOption,
    IncludeOption,
    InitFromOption,
    JsonOption,
    SetOption,
    as_config,
    given,
    one_config,
)
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.commands.train import Run


def train_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Text files, directories or names of texts, joined in order; - reads stdin. By "
            "default the bundled corpus.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Run directory.  [default: runs/NAME-N]"),
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Resume the run in this directory.")
    ] = None,
    layers: Annotated[
        int | None, typer.Option(metavar="N", help="Number of stacked recurrent layers, up to 16.")
    ] = None,
    init_from: InitFromOption = None,
    extend_vocabulary: ExtendVocabularyOption = False,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Random seed for initial weights, line order and samples."),
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after N steps; 0 saves the first weights.")
    ] = None,
    epochs: Annotated[
        float | None,
        typer.Option(metavar="N", help="Stop after N passes over the text, such as 0.5 or 20."),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Stop after this time, such as 90s, 3m or 1h30m; or after --max-steps or "
            "--epochs if that comes first.",
        ),
    ] = None,
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Validate on this text instead. Repeatable."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Score the best model on this text at the end. Repeatable."
        ),
    ] = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    encoding: EncodingOption = None,
    errors: ErrorsOption = None,
    json: JsonOption = False,
) -> None:
    """Train a model on text.

    When done, print the path of the best checkpoint.
    """
    from charrnn.cli.output import write_json, write_line, write_notes
    from charrnn.commands.train import logged, trackers, train
    from charrnn.report.console import make_console_sink
    from charrnn.report.metrics import Metrics

    # a limit on the command line replaces all limits of the config
    limits: dict[str, Any] = {"max_steps": max_steps, "epochs": epochs, "max_time": max_time}
    if max_steps is not None and epochs is not None:
        raise UsageError(
            "`training.max_steps` and `training.epochs` are both given.", "choose one."
        )
    limits = limits if any(limit is not None for limit in limits.values()) else {}
    fixed = given(
        config=one_config(config),
        set=assignments,
        out=out,
        layers=layers,
        init_from=init_from,
        extend_vocabulary=extend_vocabulary or None,
        seed=seed,
        validation=validation,
        test=test,
        include=include,
        exclude=exclude,
        encoding=encoding,
        errors=errors,
    )
    run = (
        _new_run(text, limits, **fixed) if resume is None else _resumed(resume, text, limits, fixed)
    )
    logging = run.config.logging
    metrics = Metrics(run.directory.metrics, run.state.progress.step, logging.every_steps)
    console = make_console_sink(lambda: logged(run))
    try:
        ended = train(run, [metrics, *trackers(run), console])
    finally:
        if missing := metrics.unwritten:
            write_notes(
                [f"{run.directory.metrics} lacks its last {missing} lines; is the disk full?"]
            )
    if json:
        write_json(vars(ended))
    else:
        write_line(ended.checkpoint)


def _new_run(
    text: list[str] | None,
    limits: dict[str, Any],
    config: str | None = None,
    set: list[str] | None = None,
    out: str | None = None,
    **flags: Any,
) -> "Run":
    from charrnn.commands.train import new_run

    layer = as_config(flags | limits | given(text=text or None))
    return new_run(config, set or [], layer, out)


def _resumed(
    path: str, text: list[str] | None, limits: dict[str, Any], fixed: dict[str, Any]
) -> "Run":
    from charrnn.cli.output import write_note
    from charrnn.commands.train import resumed_run

    if not path:
        raise UsageError("`resume` is empty.", "give the directory of a run.")
    if fixed:
        options = ", ".join(f"`{name}`" for name in fixed)
        raise UsageError(
            f"{options} cannot change a run that is resumed.",
            "leave out these options, or start a new run; only `training.max_steps`, "
            "`training.epochs` and `training.max_time` can change.",
        )
    return resumed_run(path, text or [], limits, announce=write_note)
