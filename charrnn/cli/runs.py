"""`charrnn runs`."""

from typing import Annotated

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption
from charrnn.errors import UsageError
from charrnn.wording import either

COLUMNS = (
    "name", "text", "network", "seed", "steps", "nats", "bits", "difference", "time", "state",
)  # fmt: skip


def runs_command(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="Folder of runs, also in its folders; or the directory of one run.",
            autocompletion=completers.folders,
        ),
    ] = "runs",
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help=f"Sort by {either(COLUMNS)}.",
            autocompletion=completers.choice_of(*COLUMNS),
        ),
    ] = "name",
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Sort from the largest to the smallest.")
    ] = False,
    csv: Annotated[
        bool,
        typer.Option(
            "--csv",
            help="Print the runs as CSV; of the directory of one run, its metrics, with a row per "
            "logged step.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """List runs: how far they came, and how well they predict.

    Losses are of the best checkpoint on the held-out text; the difference is that to the n-gram.
    """
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_notes, write_text
    from charrnn.commands.curves import load_run
    from charrnn.commands.runs import is_single_run, list_runs, sorted_runs
    from charrnn.report.run_csv import metrics_as_csv, runs_as_csv
    from charrnn.report.run_table import print_runs

    if csv and json:
        raise UsageError("`csv` and `json` are both given.", "choose one of them.")
    if csv and is_single_run(directory):
        run = load_run(directory)
        write_notes(run.notes)
        write_text(metrics_as_csv(run))
        return
    found = sorted_runs(list_runs(directory), sort, reverse)
    write_notes(found.notes)
    if json:
        write_json(asdict(found))
    elif csv:
        write_text(runs_as_csv(found))
    else:
        print_runs(found)
