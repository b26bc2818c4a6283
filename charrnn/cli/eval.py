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
    json: JsonOption = False,
) -> None:
    """Measure how well a model predicts a text."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_line, write_notes
    from charrnn.commands.evaluate import score_text

    score, notes = score_text(checkpoint, text, unknown, given(encoding=encoding, errors=errors))
    write_notes(notes)
    if json:
        write_json(asdict(score))
    else:
        for name, value in asdict(score).items():
            shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
            label = "characters predicted" if name == "characters" else name.replace("_", " ")
            write_line(f"{label:22} {shown}")
