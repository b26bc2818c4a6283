"""A config as YAML, with the origin of each value in a comment."""

import json
from typing import Any

from charrnn.report.flags import as_flags
from charrnn.report.terminal import print_line, table_console
from charrnn.results import DescribedConfig
from charrnn.system.escaping import harmless_message

COLUMN = 36  # the last one in which comments are aligned


def config_text(described: DescribedConfig, show_defaults: bool) -> str:
    """The config as YAML, which is a config file, too.

    Args:
        described: The config.
        show_defaults: Whether the comments have the default value of what differs from it.
    """
    fitting = [len(line) for line, key in described.lines if key and len(line) <= COLUMN]
    column = max(fitting, default=0)
    lines = []
    for line, key in described.lines:
        comment = harmless_message(as_flags(described.origins[key])) if key else ""
        if key in described.defaults and show_defaults:
            comment += f"; default {_short(described.defaults[key])}"
        comment = comment.replace("\n", " ")
        lines.append(f"{line:<{column}}  # {comment}" if comment else line)
    return "".join(f"{line}\n" for line in lines)


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def print_built_in_configs(configs: dict[str, str]) -> None:
    """Prints what each built-in config is for."""
    console, width = table_console(), max(map(len, configs))
    for name, purpose in configs.items():
        print_line(console, f"{name:<{width}}  {purpose}", hanging=width + 2)
