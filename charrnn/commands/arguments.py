"""Checks arguments that several commands have in common."""

from math import inf

from charrnn.config.dotted import Layer
from charrnn.config.layers import assigns
from charrnn.config.names import SYNONYMS, settings_like
from charrnn.errors import UsageError
from charrnn.setup.paths import require_config

__all__ = ["SYNONYMS", "check_arguments", "require_between", "settings_like"]


def require_between(lowest: float, highest: float, **values: float | None) -> None:
    """Checks options by their names; those that are None were not given.

    Raises:
        UsageError: A number is not in this range, whose ends belong to it.
    """
    for name, value in values.items():
        if value is not None and not lowest <= value <= highest:
            within = f"between {lowest:,} and {highest:,}" if highest < inf else f"{lowest} or more"
            raise UsageError(f"`{name}={value}` is not {within}.")


def check_arguments(
    config_path: str | Layer | None, assignments: list[str], texts: list[str]
) -> None:
    """Checks that a config is one, and that the text is given once.

    Args:
        config_path: A YAML file, the name of a built-in config, or plain values; None for the
            default one.
        assignments: Changes of the config, as `key.path=value`.
        texts: The text that is given beside the config; none for that of the config.

    Raises:
        UsageError: The config is a checkpoint or a directory, or an assignment sets another text.
    """
    if isinstance(config_path, str):
        require_config(config_path)
    if texts and assigns(assignments, "data.text"):
        raise UsageError(
            f"{texts[0]} and `settings` data.text are both given.", "choose one of them."
        )
