"""Options that several commands share."""

from typing import Annotated, Literal

import typer

CheckpointArgument = Annotated[
    str,
    typer.Argument(metavar="CHECKPOINT", help="A checkpoint file, or a run directory: its best."),
]
ConfigOption = Annotated[
    str | None,
    typer.Option("-c", "--config", metavar="CONFIG", help="YAML file, or the name of a config."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY.PATH=VALUE", help="Change one value of the config. Repeatable."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
UnknownOption = Annotated[
    Literal["error", "skip"],
    typer.Option(help="What to do with characters that the model does not know."),
]
