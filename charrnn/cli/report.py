"""`charrnn report`."""

from typing import Annotated

import typer

from charrnn.cli.options import JsonOption


def report_command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Run directories.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="The page.")] = "report.html",
    text: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Text to show the model on.  [default: what the run held out]"
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a page about a run, or compare several, as one HTML file to share."""
    from pathlib import Path

    from charrnn.cli.output import require_output, write_json, write_line, write_note, write_notes
    from charrnn.commands.report import report_runs
    from charrnn.report.page import report_page
    from charrnn.report.page_facts import report_document
    from charrnn.system.files import write_atomically

    require_output("out", out)
    report, _, notes = report_runs(runs, text, write_note)
    write_notes(notes)
    page = report_page(report).encode()
    write_atomically(Path(out), page)
    if json:
        write_json(report_document(report, out, len(page)))
    else:
        write_line(out)
