"""`charrnn report`."""

from typing import Annotated

import typer

from charrnn.cli.options import CheckpointArgument, in_bytes
from charrnn.errors import UsageError


def report_command(
    checkpoint: CheckpointArgument,
    play_only: Annotated[
        bool,
        typer.Option("--play-only", help="Write a page with the model alone, to write with it."),
    ] = False,
    out: Annotated[str, typer.Option(metavar="FILE", help="The page.")] = "model.html",
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Refuse a model that takes more in the page, such as 50MB.  [default: 20MB]",
        ),
    ] = None,
) -> None:
    """Write a page about a run, as one HTML file."""
    from pathlib import Path

    from charrnn.cli.output import require_output, write_line
    from charrnn.commands.player import playable_model
    from charrnn.report.player import player_page
    from charrnn.system.files import write_atomically

    if not play_only:
        raise UsageError("there is nothing to report.", "add `play_only`.")
    require_output("out", out)
    model = playable_model(checkpoint, in_bytes(max_size, "max_size"))
    write_atomically(Path(out), player_page(model).encode())
    write_line(out)
