"""The result of `config`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DescribedConfig:
    """A config, and where its values come from.

    Attributes:
        config: Its values, in sections.
        origins: Where the value of each dotted key comes from: default, a file or a checkpoint, or
            in backquotes `settings` or the setting whose option was given.
        defaults: The default values of the dotted keys that have another one; None of those that
            the default config lacks.
        lines: The config as YAML, by line, with the dotted key of the value that begins there.
    """

    config: dict[str, Any]
    origins: dict[str, str]
    defaults: dict[str, Any]
    lines: tuple[tuple[str, str], ...]
