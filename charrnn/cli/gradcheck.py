"""`charrnn gradcheck`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import (
    ConfigOption,
    JsonOption,
    MaxMemoryOption,
    ModelArgument,
    SetOption,
    one_config,
)
from charrnn.cli.settings import settings_options
from charrnn.errors import UsageError
from charrnn.keywords import as_layer
from charrnn.units import in_bytes
from charrnn.wording import either

ORACLES = ("central-difference", "complex-step", "double-sum", "rtrl")


@settings_options("hidden_size", "layers", "activation", "dropout", "batch_size", "window")
def gradcheck_command(
    model: ModelArgument = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text to take the window from.",
            autocompletion=completers.texts,
        ),
    ] = None,
    oracle: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Method to compare with: {either(ORACLES)}. Repeatable.  [default: all]",
            autocompletion=completers.choice_of(*ORACLES, "all"),
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Largest accepted relative error.  [default: 1e-10; central-difference 1e-6]",
        ),
    ] = None,
    entries: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="Entries of each parameter to compare, however long it takes.  [default: up to "
            "200, fewer where that would take minutes]",
        ),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast", help="Check two short passages on one thread instead of a training window."
        ),
    ] = False,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Random seed for model, window and entries."),
    ] = 1,
    max_memory: MaxMemoryOption = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Verify the gradients of a model against independent methods.

    The loss is that of a training window, with the stride, threads, memory and dropout of the
    config. Without a model, check a small random one.
    """
    import sys
    from dataclasses import asdict

    from charrnn.cli.output import verdict, write_json, write_note, write_notes
    from charrnn.commands.gradcheck import check_gradients
    from charrnn.report.gradient_table import print_gradient_table

    count = None
    if entries is not None:
        count = sys.maxsize if entries == "all" else _positive(entries)
    result, notes = check_gradients(
        model,
        one_config(config),
        assignments or [],
        text,
        oracle or [],
        tolerance,
        seed,
        count,
        fast,
        max_memory=in_bytes(max_memory),
        announce=write_note,
        flags=as_layer(settings),
    )
    write_notes(notes)
    with verdict(0 if result.passed else 1):
        if json:
            write_json({"passed": result.passed} | asdict(result))
        else:
            print_gradient_table(result)


def _positive(entries: str) -> int:
    if entries.isdecimal() and int(entries) > 0:
        return int(entries)
    raise UsageError(
        f"`entries={entries}` is neither a positive number nor all.", "for example `entries=50`"
    )
