"""`charrnn gradflow`."""

from typing import Annotated

import typer

from charrnn.cli.options import ConfigOption, JsonOption, ModelArgument, SetOption


def gradflow_command(
    model: ModelArgument = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Measure on this text.  [default: what the model is trained on]"
        ),
    ] = None,
    lags: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="Characters to look back.")
    ] = 128,
    compare: Annotated[
        bool, typer.Option("--compare", help="tanh, sigmoid and ReLU at several scales of W.")
    ] = False,
    truncation: Annotated[
        bool,
        typer.Option("--truncation", help="The truncated gradients beside the full one."),
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(metavar="X", help="Error that truncation may cost.  [default: 0.1]"),
    ] = None,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also draw it: a .png, .svg or .pdf file.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the places in the text.")] = 1,
    json: JsonOption = False,
) -> None:
    """See how gradients flow back through a model, and what truncation costs."""
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_notes
    from charrnn.commands.gradflow import gradient_flow
    from charrnn.report.flow_tables import print_gradient_flow
    from charrnn.report.plots import drawing, plot_gradient_flow

    draw = drawing(plot) if plot is not None else None
    if truncation and tolerance is None:
        tolerance = 0.1
    found, notes = gradient_flow(
        model, config, assignments or [], text, lags, compare, tolerance, seed
    )
    if draw:
        draw(plot_gradient_flow(found))
        notes += (f"the picture is in {plot}",)
    write_notes(notes)
    if json:
        write_json(asdict(found))
    else:
        print_gradient_flow(found)
