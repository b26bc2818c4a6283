"""Checks arguments that several commands have in common."""

from charrnn.config.layers import assigns
from charrnn.config.names import SYNONYMS, settings_like
from charrnn.errors import UsageError
from charrnn.setup.paths import require_config

__all__ = ["SYNONYMS", "check_arguments", "settings_like"]


def check_arguments(config_path: str | None, assignments: list[str], texts: list[str]) -> None:
    """Checks that a config is one, and that the text is given once.

    Args:
        config_path: A YAML file, or the name of a built-in config; None for the default one.
        assignments: Changes of the config, as `key.path=value`.
        texts: The text that is given beside the config; none for that of the config.

    Raises:
        UsageError: The config is a checkpoint or a directory, or an assignment sets another text.
    """
    if config_path is not None:
        require_config(config_path)
    if texts and assigns(assignments, "data.text"):
        raise UsageError(f"{texts[0]} and `set` data.text are both given.", "choose one of them.")
