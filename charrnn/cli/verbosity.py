"""The options --quiet and --verbose, which may be given before or after a command."""

from typing import Annotated, Any

import typer

from charrnn.cli.command import Function, add_options
from charrnn.errors import UsageError
from charrnn.report.verbosity import Verbosity, set_verbosity, verbosity

QuietOption = Annotated[
    bool | None,
    typer.Option("-q", "--quiet", help="Write the result, warnings and errors only."),
]
VerboseOption = Annotated[
    bool | None,
    typer.Option("-v", "--verbose", help="Also write what is read and chosen, and the time taken."),
]


def choose_verbosity(quiet: bool | None, verbose: bool | None) -> None:
    """Sets how much is written; what is not given here stays as it is.

    Raises:
        UsageError: Both are given, here or before the command.
    """
    quiet = quiet or verbosity() is Verbosity.QUIET
    verbose = verbose or verbosity() is Verbosity.VERBOSE
    if quiet and verbose:
        raise UsageError("`quiet` and `verbose` are both given.", "choose one of them.")
    level = Verbosity.QUIET if quiet else Verbosity.VERBOSE if verbose else Verbosity.NORMAL
    set_verbosity(level)


def with_verbosity(command: Function) -> Function:
    """Gives a command the two options."""

    def call(values: dict[str, Any], chosen: dict[str, Any]) -> None:
        choose_verbosity(**chosen)
        command(**values)

    return add_options(command, {"quiet": QuietOption, "verbose": VerboseOption}, call)
