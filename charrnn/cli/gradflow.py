"""`charrnn gradflow`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import (
    ConfigOption,
    JsonOption,
    MaxMemoryOption,
    ModelArgument,
    PlotOption,
    SetOption,
    TitleOption,
    one_config,
)
from charrnn.cli.settings import settings_options
from charrnn.keywords import as_layer
from charrnn.units import in_bytes


@settings_options("hidden_size", "layers", "activation")
def gradflow_command(
    model: ModelArgument = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text to measure on.  [default: the model's training text]",
            autocompletion=completers.texts,
        ),
    ] = None,
    lags: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=100_000, help="Longest lag to measure, in characters."
        ),
    ] = 128,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Compare tanh, sigmoid and ReLU at several scales of W."),
    ] = False,
    truncation: Annotated[
        bool,
        typer.Option("--truncation", help="Compare truncated gradients with the full one."),
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(metavar="X", help="Largest accepted truncation error.  [default: 0.1]"),
    ] = None,
    plot: PlotOption = None,
    title: TitleOption = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Random seed for the positions in the text.")
    ] = 1,
    max_memory: MaxMemoryOption = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Measure how gradients flow back through time.

    With --truncation, also measure what truncated BPTT loses.
    """
    from dataclasses import asdict

    from charrnn.cli.output import plot_writer, write_json, write_note, write_notes
    from charrnn.commands.gradflow import TOLERANCE, gradient_flow
    from charrnn.report.flow_plots import plot_gradient_flow
    from charrnn.report.flow_tables import print_gradient_flow

    draw = plot_writer(plot, title)
    if truncation and tolerance is None:
        tolerance = TOLERANCE
    found, notes = gradient_flow(
        model,
        one_config(config),
        assignments or [],
        text,
        lags,
        compare,
        tolerance,
        seed,
        max_memory=in_bytes(max_memory),
        announce=write_note,
        flags=as_layer(settings),
    )
    if draw:
        draw(plot_gradient_flow(found, title))
        notes += (f"plot saved to {plot}",)
    write_notes(notes)
    if json:
        write_json(asdict(found))
    else:
        print_gradient_flow(found)
