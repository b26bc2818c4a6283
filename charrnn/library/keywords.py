"""The arguments of functions: settings by keyword, and what may be meant by an unknown one."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from inspect import getfullargspec
from os import PathLike, fspath
from typing import Any, Literal, TypedDict, get_args, get_type_hints

from charrnn.commands.arguments import settings_like
from charrnn.config.argument_types import unknown_argument
from charrnn.errors import UsageError
from charrnn.keywords import KEYWORDS, replacing_limits

Path = str | PathLike[str]
Files = Path | Sequence[Path]
Config = Path | Mapping[str, Any]
Settings = Mapping[str, Any]
Unknown = Literal["error", "skip", "replace"]


class Network(TypedDict, total=False):
    """The settings of a network.

    Attributes:
        hidden_size: Hidden units of each layer.
        layers: Stacked recurrent layers.
        activation: Of the hidden units.
    """

    hidden_size: int
    layers: int
    activation: Literal["tanh", "sigmoid", "relu"]


class Objective(Network, total=False):
    """And those of the loss.

    Attributes:
        dropout: The probability of dropping a unit between layers and before the output.
        batch_size: Lanes of the text that are read side by side.
        window: Characters that the gradient goes back.
    """

    dropout: float
    batch_size: int
    window: int


class Keywords(Objective, total=False):
    """All settings that have a short name, as on the command line; see docs/settings.md.

    Attributes:
        init_from: A checkpoint, or a file of weights of another program, to start from.
        vocabulary: The file of the vocabulary of such weights.
        extend_vocabulary: Whether to add new characters of the text to its vocabulary.
        optimizer: The name of the optimizer.
        lr: Learning rate.
        max_steps: Training steps after which to stop.
        epochs: Passes over the text after which to stop.
        max_time: Seconds, or a string such as "3m", after which to stop.
        seed: Random seed for initial weights, line order and samples.
        validation: Files to validate on, instead of a part of the text.
        test: Files to score the best model on at the end.
        include, exclude: Patterns of the files of directories to read, and to leave out.
        encoding: Of the files.
        errors: Whether to refuse invalid bytes or to replace them with U+FFFD.
    """

    init_from: Path
    vocabulary: Path
    extend_vocabulary: bool
    optimizer: Literal["sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", "muon"]
    lr: float
    max_steps: int
    epochs: float
    max_time: float | str
    seed: int
    validation: Files
    test: Files
    include: str | Sequence[str]
    exclude: str | Sequence[str]
    encoding: str
    errors: Literal["strict", "replace"]


def as_keywords(given: Mapping[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """The settings that a function was given as `**keywords`, as plain values.

    Raises:
        UsageError: It has no such keyword, a text is given in place of a file, or two limits
            contradict each other.
    """
    own = function.__annotations__.copy()
    known = get_type_hints(*get_args(own.pop(str(getfullargspec(function).varkw))))
    for name in given:
        if name not in known:
            raise unknown_argument(name, [*known, *own.keys() - {"return"}], _meant(name, known))
    plain = {name: _plain(value) for name, value in given.items() if value is not None}
    for name in ("validation", "test"):
        paths = plain.get(name)
        if any("\n" in str(path) for path in (paths if isinstance(paths, list) else [paths])):
            raise UsageError(
                f"`data.{name}` has several lines, and is not the name of a file.",
                "write the text to a file, and give its path.",
            )
    return replacing_limits(plain)


def as_config(config: Config | None) -> str | dict[str, Any] | None:
    """A config as commands take it: a path, a name or plain values."""
    return None if config is None else _plain(config)


def as_assignments(settings: Settings | None) -> list[str]:
    """Settings by their dotted keys as assignments `key=value`.

    Raises:
        UsageError: One has a value that is not plain.
    """
    if settings is None:
        return []
    try:
        return [
            f"{key}={json.dumps(_plain(value), ensure_ascii=False)}"
            for key, value in settings.items()
        ]
    except (TypeError, ValueError) as error:
        raise UsageError(f"`settings` has a value that is not plain: {error}.") from None


def _meant(name: str, short: Collection[str]) -> str | None:
    """The setting that an unknown keyword may mean."""
    keyword_of = {KEYWORDS[keyword]: keyword for keyword in short}
    meant = [
        repr(keyword_of[key]) if key in keyword_of else f"settings={{{key!r}: …}}"
        for key in settings_like(name)
    ]
    return f"did you mean {' or '.join(meant)}?" if meant else None


def _plain(value: Any) -> Any:
    """A value without paths, tuples, arrays and NumPy's numbers."""
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if hasattr(value, "tolist") else value
