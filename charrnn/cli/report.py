"""`charrnn report`."""

from typing import Annotated

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption, UnknownOption
from charrnn.units import in_bytes


def report_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run directories; several are compared.",
            autocompletion=completers.runs,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The page.  [default: report.html, or model.html with --play-only]",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text to show the model on.  [default: what its run held out]",
            autocompletion=completers.texts,
        ),
    ] = None,
    unknown: UnknownOption = None,
    no_model: Annotated[
        bool,
        typer.Option("--no-model", help="Leave out the model, which can write in the page."),
    ] = False,
    play_only: Annotated[
        bool,
        typer.Option("--play-only", help="Write a page with the model alone, to write with it."),
    ] = False,
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Leave out a model that takes more in the page, such as 50MB.  [default: 20MB]",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a page about a run, or about several: one HTML file.

    Print the path of the page.
    """
    from pathlib import Path

    from charrnn.cli.output import write_json, write_line, write_note, write_notes
    from charrnn.commands.player import playable_model
    from charrnn.commands.report import report_runs, require_single_model
    from charrnn.commands.run_files import require_output
    from charrnn.report.page import report_page
    from charrnn.report.page_document import page_document, player_document
    from charrnn.report.player import player_page
    from charrnn.system.files import write_atomically
    from charrnn.wording import setting

    out = out or ("model.html" if play_only else "report.html")
    size = in_bytes(max_size, "max_size")
    if play_only:
        require_single_model(runs, text, no_model)
    require_output(setting("out", out), out, [text] if text else [])
    if play_only:
        model = playable_model(runs[0], size)
        page = player_page(model)
        document = player_document(model, out, page)
    else:
        report, notes = report_runs(runs, text, unknown, not no_model, size, write_note)
        write_notes(notes)
        page = report_page(report)
        document = page_document(report, out, page)
    write_atomically(Path(out), page.encode())
    if json:
        write_json(document)
    else:
        write_line(out)
