"""`charrnn plot`."""

from typing import Annotated, Literal

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption
from charrnn.wording import either

WHATS = ("loss", "gradient", "learning-rate", "lag-profile")


def plot_command(
    run: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run directories; runs that differ in their seed only are one.",
            autocompletion=completers.runs,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Save the plot, as .png, .svg or .pdf, instead of printing a chart.",
        ),
    ] = None,
    what: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help=f"{either(WHATS)}. Repeatable.  [default: all in a file, else loss]",
            autocompletion=completers.choice_of(*WHATS),
        ),
    ] = None,
    x: Annotated[
        Literal["steps", "epochs", "characters", "seconds"],
        typer.Option(help="What the x axis shows."),
    ] = "steps",
    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Title of the plot.  [default: names the runs]"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Plot what runs logged, in a file or as a chart in the terminal.

    Of several seeds of one config, the mean and the range are shown.
    """
    from dataclasses import asdict

    from charrnn.cli.output import plot_writer, write_json, write_notes
    from charrnn.commands.curves import group_by_config, load_runs, notes_on_comparison
    from charrnn.report.run_charts import print_charts
    from charrnn.report.run_curves import WHATS, as_whats
    from charrnn.report.run_plots import plot_runs

    whats = as_whats(what) if what else WHATS if out else ("loss",)
    draw = plot_writer(out, None, "out")
    runs = load_runs(run)
    groups = group_by_config(runs)
    notes = [*(note for one in runs for note in one.notes), *notes_on_comparison(runs)]
    if draw:
        draw(plot_runs(groups, whats, x, title))
        notes.append(f"plot saved to {out}")
    write_notes(notes)
    if json:
        write_json([asdict(one) for one in runs])
    elif not draw:
        print_charts(groups, whats, x, title)
