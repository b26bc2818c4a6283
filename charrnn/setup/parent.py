"""The model that a new run starts from instead of random weights."""

from pathlib import Path

from charrnn.config.layers import Layer, load_with_origins
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import UsageError
from charrnn.setup.loading import Model, load_model


def configure(
    path: str | Layer | None, assignments: list[str], flags: Layer
) -> tuple[Config, Model | None]:
    """Loads a config like `load_config`, and the parent that it names, which sets its defaults.

    Raises:
        UsageError: The config is at fault; every fault is reported.
        InputError: The checkpoint of the parent is unusable.
    """
    config, _, parent = configure_with_origins(path, assignments, flags)
    return config, parent


def configure_with_origins(
    path: str | Layer | None, assignments: list[str], flags: Layer
) -> tuple[Config, dict[str, str], Model | None]:
    """Loads a config like `configure`, and where each value comes from, by its dotted key."""
    config, origins = load_with_origins(path, assignments, flags)
    if config.model.init_from is None:
        return config, origins, None
    parent = load_model(config.model.init_from)
    values = parent.config.model_dump()
    defaults = {
        "model": {key: value for key, value in values["model"].items() if key != "dropout"}
        | {"extend_vocabulary": False},
        "data": {key: values["data"][key] for key in ("sequences", "min_count")},
        "training": {"precision": values["training"]["precision"]},
    }
    return *load_with_origins(path, assignments, flags, (parent.path, defaults)), parent


def load_parent(config: Config) -> Model | None:
    """Loads the parent that a config names. Raises: InputError."""
    return load_model(config.model.init_from) if config.model.init_from is not None else None


def naming_file(config: ResolvedConfig, parent: Model) -> ResolvedConfig:
    """The config with the checkpoint file of its parent, which may be given as a run directory."""
    file = str(Path(parent.path).absolute())
    model = config.model.model_copy(update={"init_from": file})
    return config.model_copy(update={"model": model})


def require_same_network(config: Config, parent: Model) -> None:
    """Checks that a config asks for the network of its parent. Raises: UsageError."""
    for key in ("hidden_size", "layers", "activation", "bias"):
        wanted, found = getattr(config.model, key), getattr(parent.config.model, key)
        if wanted != found:
            raise UsageError(
                f"model.{key} is {wanted}, but {parent.path} has {found}.",
                f"leave model.{key} out, of the config too: the checkpoint determines the network.",
            )
