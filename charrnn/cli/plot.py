"""`charrnn plot`."""

from typing import Annotated, Literal

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption
from charrnn.wording import either

WHATS = ("loss", "gradient", "learning-rate", "lag-profile")
SWEEP_WHATS = ("progress", "importance", "parallel", "slice")


def plot_command(
    run: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|SWEEP",
            help="Run directories; runs that differ in their seed only are one. Or a sweep.",
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
            help=f"{either(WHATS)}; of a sweep {either(SWEEP_WHATS)}. Repeatable.  [default: all "
            "in a file, else loss, or progress and importance]",
            autocompletion=completers.choice_of(*WHATS, *SWEEP_WHATS),
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
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Of a sweep whose name is given: where it is stored, as in charrnn sweep.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Plot what runs logged, or what a sweep found, in a file or as a chart in the terminal.

    Of several seeds of one config, the mean and the range are shown.
    """
    from dataclasses import asdict

    from charrnn.cli.output import plot_writer, write_json, write_notes
    from charrnn.commands.curves import group_by_config, is_sweep, load_runs, notes_on_comparison
    from charrnn.report.plot_names import named
    from charrnn.report.run_charts import print_charts
    from charrnn.report.run_curves import WHATS
    from charrnn.report.run_plots import plot_runs

    if storage is not None or (len(run) == 1 and is_sweep(run[0])):
        return _plot_sweep(run, storage, out, what, title, json)
    whats = named(what, WHATS) if what else WHATS if out else ("loss",)
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


def _plot_sweep(
    names: list[str],
    storage: str | None,
    out: str | None,
    what: list[str] | None,
    title: str | None,
    json: bool,
) -> None:
    from dataclasses import asdict

    from charrnn.cli.output import plot_writer, write_json, write_note
    from charrnn.report.plot_names import named
    from charrnn.report.sweep_charts import CHARTS, print_sweep_charts
    from charrnn.report.sweep_curves import WHATS
    from charrnn.report.sweep_plots import plot_sweep
    from charrnn.system.extras import import_extra

    whats = named(what, WHATS) if what else WHATS if out else CHARTS
    draw = plot_writer(out, None, "out")
    import_extra("optuna", "sweep", "a sweep")
    from charrnn.commands.sweep_report import one_study, report_sweep

    report = report_sweep(one_study(names, None), storage)
    if draw:
        draw(plot_sweep(report, whats, title))
        write_note(f"plot saved to {out}")
    if json:
        write_json(asdict(report))
    elif not draw:
        print_sweep_charts(report, whats, title)
