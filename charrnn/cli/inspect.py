"""`charrnn inspect`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption, PlannedConfigOption, SetOption, one_config
from charrnn.cli.settings import OPTIONS, settings_options


@settings_options(*OPTIONS)
def inspect_command(
    path: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT|CHECKPOINT|CONFIG",
            help="Text files, directories or names of texts; checkpoints or run directories; or a "
            "built-in config. By default the bundled corpus.",
            show_default=False,
            autocompletion=completers.subjects,
        ),
    ] = None,
    config: PlannedConfigOption = None,
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
    from charrnn.commands.inspect import inspect
    from charrnn.report.inspection import print_model_report, print_text_report

    found, notes = inspect(path or [], one_config(config), assignments or [], settings)
    write_notes(notes)
    if not isinstance(found, tuple):
        if json:
            write_json(asdict(found))
        else:
            print_text_report(found)
        return
    with verdict(0 if all(model.sound for model in found) else 1):
        if json:
            documents = [asdict(model) for model in found]
            write_json(documents[0] if len(documents) == 1 else documents)
        else:
            for model in found:
                print_model_report(model)
