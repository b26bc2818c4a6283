"""`charrnn gradcheck`."""

from typing import Annotated

import typer

from charrnn.cli.options import ConfigOption, JsonOption, ModelArgument, SetOption, one_config


def gradcheck_command(
    model: ModelArgument = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    text: Annotated[
        str | None, typer.Option(metavar="FILE", help="Text to take windows from.")
    ] = None,
    oracle: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Method to compare with: central-difference, complex-step, double-sum or rtrl. "
            "Repeatable.  [default: all]",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Largest accepted relative error.  [default: 1e-10; central-difference 1e-6]",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Random seed for model, windows and entries."),
    ] = 1,
    json: JsonOption = False,
) -> None:
    """Verify the gradients of a model against independent methods.

    Without a model, check a small random one.
    """
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_notes
    from charrnn.commands.gradcheck import check_gradients
    from charrnn.report.gradient_table import print_gradient_table

    result, notes = check_gradients(
        model, one_config(config), assignments or [], text, oracle or [], tolerance, seed
    )
    write_notes(notes)
    if json:
        write_json({"passed": result.passed} | asdict(result))
    else:
        print_gradient_table(result)
    if not result.passed:
        raise typer.Exit(1)
