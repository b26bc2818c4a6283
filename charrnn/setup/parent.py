"""The model that a new run starts from instead of random weights."""

import os
from pathlib import Path
from typing import NamedTuple

from charrnn.config.dotted import Layer
from charrnn.config.faults import shown
from charrnn.config.layers import load_with_origins
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import InputError, UsageError
from charrnn.interchange.network import Network
from charrnn.interchange.vocabulary_file import HINT, read_vocabulary
from charrnn.interchange.weights import is_weights, read_weights
from charrnn.model.params import Params
from charrnn.setup.loading import load_model
from charrnn.text.vocabulary import Vocabulary


class Parent(NamedTuple):
    """The model that a run starts from.

    Attributes:
        path: The file that it was read from.
        params: Its weights.
        vocabulary: The characters that it knows.
        settings: The settings that it sets, as defaults of a config.
    """

    path: str
    params: Params
    vocabulary: Vocabulary
    settings: Layer


def configure(
    path: str | Layer | None, assignments: list[str], flags: Layer
) -> tuple[Config, Parent | None]:
    """Loads a config like `load_config`, and the parent that it names, which sets its defaults.

    Raises:
        UsageError: The config is at fault; every fault is reported.
        InputError: The parent is unusable.
    """
    config, _, parent = configure_with_origins(path, assignments, flags)
    return config, parent


def configure_with_origins(
    path: str | Layer | None, assignments: list[str], flags: Layer
) -> tuple[Config, dict[str, str], Parent | None]:
    """Loads a config like `configure`, and where each value comes from, by its dotted key."""
    config, origins = load_with_origins(path, assignments, flags)
    if (parent := load_parent(config)) is None:
        return config, origins, None
    base = (parent.path, parent.settings)
    return *load_with_origins(path, assignments, flags, base), parent


def load_parent(config: Config) -> Parent | None:
    """Loads the parent that a config names: a checkpoint, or weights of another program.

    Raises:
        InputError: It is unusable.
        UsageError: A vocabulary is given, and it has another one.
    """
    path, vocabulary = config.model.init_from, config.model.vocabulary
    if path is None:
        return None
    if not os.path.isdir(path) and is_weights(Path(path)):
        return _from_weights(path, read_weights(Path(path)), vocabulary)
    model = load_model(path)
    if vocabulary is not None:
        require_same_vocabulary(vocabulary, model.path, model.vocabulary)
    values = model.config.model_dump()
    settings = {
        "model": {key: value for key, value in values["model"].items() if key != "dropout"}
        | {"extend_vocabulary": False, "vocabulary": None},
        "data": {key: values["data"][key] for key in ("sequences", "min_count")},
        "training": {"precision": values["training"]["precision"]},
    }
    return Parent(model.path, model.params, model.vocabulary, settings)


def _from_weights(path: str, network: Network, vocabulary: str | None) -> Parent:
    """The parent of weights that are not a checkpoint, and of a vocabulary if one is given."""
    params, known, source = network.params, network.vocabulary, path
    if known is None:
        if vocabulary is None:
            raise UsageError(
                f"{path} has weights and no vocabulary: which character is which id?",
                "add `model.vocabulary=vocabulary.json`: a JSON list of characters or their ids "
                "(stoi), or the text that it was trained on.",
            )
        known, source = read_vocabulary(vocabulary), vocabulary
    elif vocabulary is not None:
        require_same_vocabulary(vocabulary, path, known)
    if len(known) != params.alphabet_size:
        raise InputError(
            f"{path} has weights for {params.alphabet_size:,} characters, but {source} has "
            f"{len(known):,}.",
            HINT,
        )
    network_settings = {
        "hidden_size": params.hidden_size,
        "layers": params.depth,
        "bias": params.c is not None,
    }
    told = {"activation": network.activation} if network.activation else {}
    reading = {"sequences": network.sequences, "min_count": network.min_count}
    settings = {
        "model": network_settings | told,
        "data": {key: value for key, value in reading.items() if value is not None},
        "training": {"precision": str(params.dtype)},
    }
    return Parent(path, params, known, settings)


def require_same_vocabulary(path: str, parent: str, known: Vocabulary) -> None:
    """Checks that a vocabulary file has that of the parent. Raises: UsageError."""
    if read_vocabulary(path) != known:
        raise UsageError(
            f"{parent} has a vocabulary, and that of {path} is another one.",
            "leave out `model.vocabulary`.",
        )


def notes_on(parent: Parent, config: Config) -> tuple[str, ...]:
    """What the user should know about a parent in the network of a config."""
    if "activation" in parent.settings["model"]:
        return ()
    return (
        f"{parent.path} does not name its activation: {config.model.activation} is used. "
        f"Another: `model.activation={'tanh' if config.model.activation == 'relu' else 'relu'}`",
    )


def naming_file(config: ResolvedConfig, parent: Parent) -> ResolvedConfig:
    """The config with the file of its parent, which may be given as a run directory."""
    file = str(Path(parent.path).absolute())
    model = config.model.model_copy(update={"init_from": file})
    return config.model_copy(update={"model": model})


def require_same_network(config: Config, parent: Parent) -> None:
    """Checks that a config asks for the network of its parent. Raises: UsageError."""
    for key in ("hidden_size", "layers", "activation", "bias"):
        wanted = getattr(config.model, key)
        found = parent.settings["model"].get(key, wanted)
        if wanted != found:
            here, there = (shown(one).strip("'") for one in (wanted, found))
            raise UsageError(
                f"model.{key} is {here}, but {parent.path} has {there}.",
                f"remove `model.{key}`, from the config too: {parent.path} determines it.",
            )
