"""The settings with a short name: an option of the command line, a keyword in Python."""

from typing import Any

from charrnn.errors import UsageError

KEYWORDS = {
    "hidden_size": "model.hidden_size",
    "layers": "model.layers",
    "dropout": "model.dropout",
    "activation": "model.activation",
    "init_from": "model.init_from",
    "vocabulary": "model.vocabulary",
    "extend_vocabulary": "model.extend_vocabulary",
    "text": "data.text",
    "encoding": "data.encoding",
    "errors": "data.errors",
    "include": "data.include",
    "exclude": "data.exclude",
    "validation": "data.validation",
    "test": "data.test",
    "batch_size": "training.batch_size",
    "window": "training.window",
    "max_steps": "training.max_steps",
    "epochs": "training.epochs",
    "max_time": "training.max_time",
    "seed": "training.seed",
    "optimizer": "optimizer.name",
    "lr": "optimizer.learning_rate",
}
KEYWORD_OF = {key: keyword for keyword, key in KEYWORDS.items()}

LIMITS = ("max_steps", "epochs", "max_time")


def replacing_limits(values: dict[str, Any]) -> dict[str, Any]:
    """The values of keywords, in which a limit replaces all limits of the config.

    Raises:
        UsageError: Two limits are given that say the same in other words.
    """
    if values.get("max_steps") is not None and values.get("epochs") is not None:
        raise UsageError(
            "`training.max_steps` and `training.epochs` are both given.", "choose one."
        )
    limits = dict.fromkeys(LIMITS) if any(limit in values for limit in LIMITS) else {}
    return limits | values


def as_layer(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of keywords as a layer of the config: lr=0.1 is {"optimizer": {...: 0.1}}."""
    layer: dict[str, dict[str, Any]] = {}
    for keyword, value in values.items():
        section, _, key = KEYWORDS[keyword].rpartition(".")
        layer.setdefault(section, {})[key] = value
    return layer
