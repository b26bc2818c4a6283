"""The options of a command that set values of its config."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from charrnn.cli import completers
from charrnn.cli.command import MODEL, TEXT, TRAINING, Function, add_options
from charrnn.cli.completers import Completer
from charrnn.keywords import replacing_limits


def _option(
    section: str,
    metavar: str,
    help: str,
    kind: Any = str,
    *names: str,
    complete: Completer | None = None,
) -> Any:
    option = typer.Option(
        *names,
        metavar=metavar or None,
        help=help,
        rich_help_panel=section,
        autocompletion=complete,
    )
    return Annotated[kind | None, option]


# numbers stay strings here: the config knows how people write them, and their bounds
OPTIONS: dict[str, Any] = {
    "hidden_size": _option(MODEL, "N", "Hidden units of each layer."),
    "layers": _option(MODEL, "N", "Stacked recurrent layers, up to 16."),
    "activation": _option(
        MODEL, "NAME", "tanh, sigmoid or relu.", complete=completers.setting("activation")
    ),
    "dropout": _option(
        MODEL, "P", "Drop units between layers and before the output with this probability."
    ),
    "init_from": _option(
        MODEL,
        "FILE",
        "Start from the weights of this checkpoint or run, or of a .safetensors or .npz file of "
        "another program.",
        complete=completers.runs,
    ),
    "vocabulary": _option(
        MODEL,
        "FILE",
        "Vocabulary of those weights, if they have none: a JSON list of characters or their ids, "
        "or the text they were trained on.",
    ),
    "extend_vocabulary": _option(
        MODEL,
        "",
        "Add new characters of the text to that model's vocabulary.",
        bool,
        "--extend-vocabulary",
    ),
    "optimizer": _option(
        TRAINING,
        "NAME",
        "sgd, momentum, adagrad, rmsprop, adam, adamw or muon.",
        complete=completers.setting("optimizer"),
    ),
    "lr": _option(TRAINING, "X", "Learning rate, such as 1e-3."),
    "batch_size": _option(TRAINING, "N", "Lanes of the text that are read side by side."),
    "window": _option(TRAINING, "N", "Characters that the gradient goes back."),
    "max_steps": _option(TRAINING, "N", "Stop after N steps; 0 saves the first weights."),
    "epochs": _option(TRAINING, "N", "Stop after N passes over the text, such as 0.5 or 20."),
    "max_time": _option(
        TRAINING,
        "TIME",
        "Stop after this time, such as 90s, 3m or 1h30m; or after --max-steps or --epochs if that "
        "comes first.",
    ),
    "seed": _option(TRAINING, "N", "Random seed for initial weights, line order and samples."),
    "validation": _option(
        TEXT,
        "FILE",
        "Validate on this text instead. Repeatable.",
        list[str],
        complete=completers.texts,
    ),
    "test": _option(
        TEXT,
        "FILE",
        "Score the best model on this text at the end. Repeatable.",
        list[str],
        complete=completers.texts,
    ),
    "include": _option(
        TEXT,
        "PATTERN",
        "Of directories, read only files that match, such as '*.py'. Repeatable.",
        list[str],
    ),
    "exclude": _option(
        TEXT, "PATTERN", "Of directories, leave out files that match. Repeatable.", list[str]
    ),
    "encoding": _option(
        TEXT, "NAME", "Encoding of the text, such as latin-1 or utf-16.  [default: the config's]"
    ),
    "errors": _option(
        TEXT,
        "",
        "Refuse invalid bytes, or replace them with U+FFFD.  [default: the config's]",
        Literal["strict", "replace"],
    ),
}


def settings_options(*keywords: str) -> Callable[[Function], Function]:
    """Gives a command an option for each of these keywords; what is given becomes `settings`."""

    def decorate(command: Function) -> Function:
        def call(values: dict[str, Any], settings: dict[str, Any]) -> None:
            given = {name: value for name, value in settings.items() if value not in (None, [])}
            command(**values, settings=replacing_limits(given))

        return add_options(command, {keyword: OPTIONS[keyword] for keyword in keywords}, call)

    return decorate
