"""Settings in messages as the options of the command line."""

import re

# settings of the config that have an option of their own; every other one is changed with --set
OPTIONS = {
    "data.encoding",
    "data.errors",
    "model.extend_vocabulary",
    "model.init_from",
    "training.max_steps",
    "training.max_time",
    "training.seed",
}
SETTING = re.compile(r"`([a-z_]+(?:\.[a-z_0-9]+)*)(?:=([^`\n]*))?`")


def as_flags(message: str) -> str:
    """A message with its settings as options.

    Messages name a setting in backquotes, with a value where one is suggested: `until`,
    `training.max_time=3m`. On the command line these are --until and --max-time 3m; a setting of
    the config without an option of its own becomes --set key.path=value.
    """
    return SETTING.sub(lambda found: _flag(found[1], found[2]), message)


def _flag(name: str, value: str | None) -> str:
    if "." in name and name not in OPTIONS:
        return name if value is None else f"--set {name}={value}"
    option = "--" + name.rpartition(".")[2].replace("_", "-")
    return option if value in (None, "true") else f"{option} {value}"
