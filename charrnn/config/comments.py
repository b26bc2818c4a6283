"""The default config, with its comments: what each setting does, and why it has its default."""

import re
from functools import cache
from typing import Any

from charrnn.config.plain_yaml import parse
from charrnn.system.resources import config_paths

LINE = re.compile(r"(?P<indent> *)(?:(?P<key>\w+):[^#]*)?(?:# (?P<comment>.*))?")


@cache
def _default_config() -> str:
    return config_paths()["default"].read_text(encoding="utf-8")


@cache
def default_values() -> dict[str, Any]:
    """The default config, as it is written in its file; not to be changed."""
    values: dict[str, Any] = parse(_default_config())
    return values


@cache
def default_comments() -> dict[str, str]:
    """The comment of each dotted key; a comment may continue on lines of its own."""
    comments: dict[str, str] = {}
    path: list[str] = []
    for line in _default_config().splitlines():
        found = LINE.fullmatch(line)
        if found and found["key"]:
            path = [*path[: len(found["indent"]) // 2], found["key"]]
        if found and found["comment"] and path:
            dotted = ".".join(path)
            comments[dotted] = f"{comments.get(dotted, '')} {found['comment']}".strip()
    return comments


def summary(name: str) -> str:
    """What the file of a built-in config says about it, in one paragraph."""
    lines = config_paths()[name].read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    return " ".join(line.removeprefix("# ") for line in lines if "$schema" not in line)
