"""Settings and commands in messages as the words of the command line."""

import json
import re
from shlex import quote

# settings of the config that have an option of their own; every other one is changed with --set
OPTIONS = {
    "data.encoding",
    "data.errors",
    "data.exclude",
    "data.include",
    "data.test",
    "data.validation",
    "model.extend_vocabulary",
    "model.init_from",
    "training.epochs",
    "training.max_steps",
    "training.max_time",
    "training.seed",
}
SETTING = re.compile(r"`([a-z_]+(?:\.[a-z_0-9]+)*)(?:=([^`\n]*))?`")
STRING = r'"(?:[^"\\`\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-f]{4})*"'  # of JSON
ARGUMENT = re.compile(rf"(?:([a-z_]+)=)?({STRING})(?:, )?")
CALL = re.compile(rf"`([a-z]+)\(((?:{ARGUMENT.pattern})*)\)`")


def as_flags(message: str) -> str:
    """A message with its settings as options, and its calls as commands.

    Messages name a setting in backquotes, with a value where one is suggested: `until`,
    `training.max_time=3m`. On the command line these are --until and --max-time 3m; a setting of
    the config without an option of its own becomes --set key.path=value. A command is a call as
    `wording.call` writes it: `train("-", resume="runs/a")` is charrnn train - --resume runs/a.
    """
    message = SETTING.sub(lambda found: _flag(found[1], found[2]), message)
    return CALL.sub(lambda found: _command(found[1], found[2]), message)


def _flag(name: str, value: str | None) -> str:
    if "." in name and name not in OPTIONS:
        return name if value is None else f"--set {name}={value}"
    option = "-c" if name == "config" else "--" + name.rpartition(".")[2].replace("_", "-")
    return option if value in (None, "true") else f"{option} {value}"


def _command(name: str, arguments: str) -> str:
    words = ["charrnn", name]
    for setting, quoted in ARGUMENT.findall(arguments):
        words += [_flag(setting, None)] if setting else []
        words.append(quote(json.loads(quoted)))
    return " ".join(words)
