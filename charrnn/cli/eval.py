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
        list[str], typer.Argument(metavar="TEXT", help="Files, directories; - is stdin.")
    ],
    encoding: EncodingOption = None,
    errors: ErrorsOption = None,
    unknown: UnknownOption = None,
    json: JsonOption = False,
) -> None:
    """Measure how well a model predicts a text."""
    from charrnn.cli.output import write_json, write_line, write_remarks
    from charrnn.commands.evaluate import score_text

    score, remarks = score_text(checkpoint, text, unknown, given(encoding=encoding, errors=errors))
    write_remarks(remarks)
    if json:
        write_json(score)
    else:
        for name, value in score.items():
            shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
            write_line(f"{name.replace('_', ' '):22} {shown}")
