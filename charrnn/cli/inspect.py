"""`charrnn inspect`."""

from shlex import quote
from typing import Annotated

import typer

from charrnn.cli.options import (
    ConfigOption,
    EncodingOption,
    ErrorsOption,
    ExtendVocabularyOption,
    InitFromOption,
    JsonOption,
    SetOption,
    as_config,
    given,
)
from charrnn.errors import UsageError


def inspect_command(
    path: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT|CHECKPOINT",
            help="Files or directories of text, or one checkpoint or run directory. Without any: "
            "the embedded corpus.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    init_from: InitFromOption = None,
    extend_vocabulary: ExtendVocabularyOption = False,
    encoding: EncodingOption = None,
    errors: ErrorsOption = None,
    json: JsonOption = False,
) -> None:
    """See what a text is before training on it, or what a checkpoint is."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_remarks
    from charrnn.commands.inspect import inspect_checkpoint, inspect_text, is_checkpoint, runs_in
    from charrnn.report.inspection import print_model_report, print_text_report

    paths = path or []
    for name in paths:
        if runs := runs_in(name):
            raise UsageError(f"{name} is a folder of runs.", f"name one, such as {quote(runs[0])}")
    flags = given(
        init_from=init_from,
        extend_vocabulary=extend_vocabulary or None,
        encoding=encoding,
        errors=errors,
    )
    if checkpoints := [name for name in paths if is_checkpoint(name)]:
        if len(paths) > 1:
            raise UsageError(
                f"{checkpoints[0]} is a checkpoint, and {len(paths)} paths are given.",
                "inspect one checkpoint, or texts.",
            )
        if config or assignments or flags:
            raise UsageError(
                f"{checkpoints[0]} is a checkpoint, which has its own config.",
                "leave all options but --json out.",
            )
        model = inspect_checkpoint(paths[0])
        if json:
            write_json(asdict(model))
        else:
            print_model_report(model)
        if not model.sound:
            raise typer.Exit(1)
        return
    layer = as_config(flags | given(text=paths or None))
    text, remarks = inspect_text(config, assignments or [], layer)
    write_remarks(remarks)
    if json:
        write_json(asdict(text))
    else:
        print_text_report(text)
