"""Options that several commands share."""

from typing import Annotated, Any, Literal

import typer

from charrnn.cli import completers
from charrnn.errors import UsageError

CheckpointArgument = Annotated[
    str,
    typer.Argument(
        metavar="CHECKPOINT",
        help="Checkpoint file, or run directory (its best checkpoint).",
        autocompletion=completers.runs,
    ),
]
ModelArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CHECKPOINT|CONFIG",
        help="Checkpoint or run directory; or a config, for its model before training.",
        show_default=False,
        autocompletion=completers.models,
    ),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--config",
        metavar="CONFIG",
        help="YAML file, or name of a built-in config.",
        autocompletion=completers.configs,
    ),
]
PlannedConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--config",
        metavar="CONFIG",
        help="YAML file, or name of a built-in config. Without one, what you do not set is chosen "
        "for your text and time; -c default has fixed values.",
        autocompletion=completers.configs,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY.PATH=VALUE",
        help="Set one value of the config. Repeatable.",
        autocompletion=completers.assignments,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]
PlotOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Also save a plot, as .png, .svg or .pdf.")
]
TitleOption = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Title of the plot.  [default: describes the model]"),
]
MaxMemoryOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Refuse what needs more memory, such as 4GB.  [default: half of this machine's]",
    ),
]
UnknownOption = Annotated[
    Literal["error", "skip", "replace"] | None,
    typer.Option(
        help="How to handle characters that the model does not know; replace reads them as "
        "U+FFFD.  [default: replace if the model was trained with data.min_count > 1, else error]"
    ),
]


def one_config(configs: list[str] | None) -> str | None:
    """The config, which can be given once: the settings of two are not merged.

    Raises:
        UsageError: There are several.
    """
    if not configs:
        return None
    if len(configs) > 1:
        raise UsageError(
            f"the configs {' and '.join(configs)} are both given.",
            "choose one of them; change single values with `settings`.",
        )
    return configs[0]


def given(**values: Any) -> dict[str, Any]:
    """Only the values that were given on the command line."""
    return {name: value for name, value in values.items() if value is not None}
