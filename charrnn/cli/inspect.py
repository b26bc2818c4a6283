"""`charrnn inspect`."""

from typing import Annotated, Any

import typer

from charrnn.cli.options import ConfigOption, JsonOption, SetOption, given, one_config
from charrnn.cli.settings import OPTIONS, settings_options
from charrnn.errors import UsageError
from charrnn.keywords import as_layer


@settings_options(*OPTIONS)
def inspect_command(
    path: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT|CHECKPOINT|CONFIG",
            help="Text files or directories, checkpoints or run directories, or a built-in config. "
            "By default the bundled corpus.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Describe a text or a checkpoint.

    For a text, also estimate the time and memory that training on it takes.
    """
    from dataclasses import asdict

    from charrnn.cli.output import verdict, write_json, write_notes
    from charrnn.commands.inspect import (
        are_checkpoints,
        inspect_checkpoint,
        inspect_text,
        is_built_in,
    )
    from charrnn.report.inspection import print_model_report, print_text_report

    paths, config_path = path or [], one_config(config)
    if are_checkpoints(paths):
        if config_path is not None or assignments or settings:
            raise UsageError(
                f"{paths[0]} is a checkpoint and has its own config.",
                "leave out all options except --json.",
            )
        models = [inspect_checkpoint(name) for name in paths]
        with verdict(0 if all(model.sound for model in models) else 1):
            if json:
                documents = [asdict(model) for model in models]
                write_json(documents[0] if len(documents) == 1 else documents)
            else:
                for model in models:
                    print_model_report(model)
        return
    if len(paths) == 1 and config_path is None and is_built_in(paths[0]):
        config_path, paths = paths[0], []
    layer = as_layer(settings | given(text=paths or None))
    text, notes = inspect_text(config_path, assignments or [], layer)
    write_notes(notes)
    if json:
        write_json(asdict(text))
    else:
        print_text_report(text)
