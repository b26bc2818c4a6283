"""`charrnn eval`."""

from typing import Annotated

import typer

from charrnn.cli.options import (
    CheckpointArgument,
    EncodingOption,
    ErrorsOption,
    JsonOption,
    UnknownOption,
    given,
)


def eval_command(
    checkpoint: CheckpointArgument,
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="Text files or directories; - reads stdin.")
    ],
    encoding: EncodingOption = None,
    errors: ErrorsOption = None,
    unknown: UnknownOption = None,
    units: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Show the N hidden units that follow a feature of the text most closely.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Measure how well a model predicts a text."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_line, write_notes
    from charrnn.commands.evaluate import score_text
    from charrnn.commands.units import describe_units
    from charrnn.report.unit_tables import print_units

    changes = given(encoding=encoding, errors=errors)
    if units is not None:
        report, notes = describe_units(checkpoint, text, unknown, changes, count=units, passage=0)
        write_notes(notes)
        write_json(asdict(report)) if json else print_units(report)
        return
    score, notes = score_text(checkpoint, text, unknown, changes)
    write_notes(notes)
    if json:
        write_json(asdict(score))
    else:
        for name, value in asdict(score).items():
            shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
            label = "characters predicted" if name == "characters" else name.replace("_", " ")
            write_line(f"{label:22} {shown}")
