"""The model that a new run begins with instead of random weights."""

from charrnn.config.layers import Layer, load_config
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.setup.loading import Model, load_model


def configured(path: str | None, assignments: list[str], flags: Layer) -> Config:
    """As `load_config`; where the config names a parent, its network is what is there by default.

    Raises: UsageError with every fault; InputError for the parent.
    """
    config = load_config(path, assignments, flags)
    if config.model.init_from is None:
        return config
    model = load_model(config.model.init_from)
    values = model.config.model_dump()
    taken = {
        "model": values["model"] | {"extend_vocabulary": False},
        "data": {key: values["data"][key] for key in ("sequences", "min_count")},
        "training": {"precision": values["training"]["precision"]},
    }
    return load_config(path, assignments, flags, (model.path, taken))


def parent_of(config: Config) -> Model | None:
    """The model that the config says to begin with.

    Raises: InputError for its checkpoint; UsageError where the config asks for another network.
    """
    own = config.model
    if own.init_from is None:
        if own.extend_vocabulary:
            raise UsageError(
                "model.extend_vocabulary is true, but there is no vocabulary to extend.",
                "name the checkpoint to begin with: --init-from CHECKPOINT",
            )
        return None
    parent = load_model(own.init_from)
    for key in ("hidden_size", "activation", "bias"):
        wanted, found = getattr(own, key), getattr(parent.config.model, key)
        if wanted != found:
            raise UsageError(
                f"model.{key} is {wanted}, but {parent.path} has {found}.",
                f"leave model.{key} out: the checkpoint says what the network is.",
            )
    return parent
