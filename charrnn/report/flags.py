"""Settings and commands in messages as the words of the command line."""

import json
import os
import re
from collections.abc import Iterator

from charrnn.keywords import KEYWORDS
from charrnn.system.launcher import launched
from charrnn.system.quoting import quote

# settings of the config that have an option of their own; every other one is changed with --set
OPTIONS = {key: keyword for keyword, key in KEYWORDS.items() if keyword != "text"}  # an argument
SHORT = {"config": "-c", "settings": "--set"}
STRING = r'"(?:[^"\\`\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-f]{4})*"'  # of JSON
ARGUMENT = re.compile(rf"(?:([a-z_]+)=)?({STRING})(?:, )?")
MARKED = re.compile(
    rf"`(?:(?P<setting>[a-z_]+(?:\.[a-z_0-9]+)*)(?:=(?P<value>{STRING}|[^`\n]*))?"
    rf"|(?P<command>[a-z]+)\((?P<arguments>(?:(?:[a-z_]+=)?{STRING}(?:, )?)*)\)"
    rf"|(?P<word>{STRING}))`"
)


def as_flags(message: str) -> str:
    """A message with its settings as options, and its calls as commands.

    Messages name a setting in backquotes, with a value where one is suggested: `until`,
    `training.max_time=3m`. On the command line these are --until and --max-time 3m; a setting of
    the config without an option of its own becomes --set key.path=value. A command is a call as
    `wording.call` writes it: `train("-", resume="runs/a")` is charrnn train - --resume runs/a. A
    path as `wording.word` writes it, `"runs/a b"`, is a word that a shell can read.
    """

    return "".join(piece for piece, _ in marked_pieces(message))


def marked_pieces(message: str) -> Iterator[tuple[str, bool]]:
    """The pieces of such a message, each with whether it was marked as something to type."""
    end = 0
    for found in MARKED.finditer(message):  # once: a path may contain what looks like a call
        yield message[end : found.start()], False
        yield _rendered(found), True
        end = found.end()
    yield message[end:], False


def _rendered(found: re.Match[str]) -> str:
    if found["setting"]:
        return _flag(found["setting"], found["value"])
    if found["command"]:
        return _command(found["command"], found["arguments"])
    return shell_word(json.loads(found["word"]))


def shell_word(text: str) -> str:
    """A word that a shell reads as this text; what cannot be shown is written as $'\\x1b'.

    A path that starts with a hyphen is written as ./-x, so that it is no option.
    """
    if text.startswith("-") and text != "-":
        text = f"./{text}"
    if text.isprintable():
        return quote(text)
    escaped = (
        chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}"
        for byte in os.fsencode(text)
    )
    return f"$'{''.join(escaped)}'"


def _flag(name: str, value: str | None) -> str:
    option = SHORT.get(name) or "--" + OPTIONS.get(name, name).replace("_", "-")
    if value == "true":
        value = None if name in OPTIONS or "." not in name else value
    elif value and value.startswith('"'):
        value = shell_word(json.loads(value))
    if "." in name and name not in OPTIONS:
        return name if value is None else f"--set {name}={value}"
    return option if value is None else f"{option} {value}"


def _command(name: str, arguments: str) -> str:
    started = launched() if name == "train" else None
    together = ["mpirun", "-n", str(started.size)] if started and started.ends_all else []
    words = [*together, "charrnn", name]  # srun has options of its own, which are not known
    for setting, quoted in ARGUMENT.findall(arguments):
        words += [_flag(setting, None)] if setting else []
        words.append(shell_word(json.loads(quoted)))
    return " ".join(words)
