"""Answers the shell's requests for completions, in the protocol of Typer's scripts."""

import contextlib
import io
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from typer._click.shell_completion import CompletionItem, split_arg_string
from typer._completion_classes import BashComplete

VARIABLE = "_CHARRNN_COMPLETE"
BREAKS = ("=", ":")  # at which bash divides words
NOT_IN_HELP = str.maketrans({"'": "’", '"': "", "\\": "", "$": "", "`": "", "\n": " "})


class Typed(NamedTuple):
    """What is on the command line: complete words, the begun one, and how much of it is fixed.

    fixed: the part of the begun word that the shell does not replace.
    """

    words: list[str]
    begun: str
    fixed: str = ""


def completions(program: Any, instruction: str) -> tuple[str, int]:
    """The answer to a request, and the exit code; none if anything goes wrong.

    Args:
        program: Typer's object for the program.
        instruction: `complete_` and the name of the shell.
    """
    shell = instruction.rpartition("_")[2]
    try:
        typed = _typed_in_bash() if shell == "bash" else _typed()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            items = list(_items(program, typed))
    except Exception:  # an error in the middle of a line that is typed would be in the way
        items = []
    if shell == "zsh":
        return _for_zsh(items), 0
    if shell == "fish":
        asked = os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args"
        return "" if asked else _for_fish(items), 0 if items or not asked else 1
    if shell in ("powershell", "pwsh"):
        return "\n".join(f"{value}:::{help or ' '}" for value, help in items), 0
    return "\n".join(value.removeprefix(typed.fixed) for value, _ in items), 0


def _items(program: Any, typed: Typed) -> Iterable[tuple[str, str]]:
    """The completions of the begun word, each with its help."""
    option, equals, value = typed.begun.partition("=")
    words, begun, prefix = list(typed.words), typed.begun, ""
    if equals and option.startswith("--"):
        words, begun, prefix = [*words, option], value, f"{option}="
    finder = BashComplete(program, {}, "charrnn", VARIABLE)
    found: list[CompletionItem] = finder.get_completions(words, begun)
    for item in found:
        yield prefix + str(item.value), str(item.help or "")


def _typed() -> Typed:
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = split_arg_string(line)[1:]
    complete = os.environ.get("_TYPER_COMPLETE_WORD_TO_COMPLETE") == ""  # of PowerShell
    if not words or line[-1:].isspace() or complete:
        return Typed(words, "")
    return Typed(words[:-1], words[-1])


def _typed_in_bash() -> Typed:
    """The words that bash has, put together again where it has divided them."""
    current = int(os.environ["COMP_CWORD"])
    words: list[str] = []
    joins = False
    last = ""
    for raw in os.environ["COMP_WORDS"].split("\n")[1 : current + 1]:
        part = "".join(split_arg_string(raw))
        divides = part in BREAKS and bool(words)
        if (joins and raw) or divides:
            words[-1] += part
        else:
            words.append(part)
        joins, last = divides, "" if divides else part
    begun = words.pop() if words else ""
    return Typed(words, begun, begun[: len(begun) - len(last)])


def _for_zsh(items: list[tuple[str, str]]) -> str:
    if not items:
        return "_files"
    rows = (
        f'"{_escaped(value)}"' + (f':"{_escaped(help)}"' if help else "") for value, help in items
    )
    return f"_arguments '*: :(({chr(10).join(rows)}))'"


def _escaped(text: str) -> str:
    return text.translate(NOT_IN_HELP).replace(":", r"\\:")


def _for_fish(items: list[tuple[str, str]]) -> str:
    return "\n".join(f"{value}\t{' '.join(help.split())}".rstrip() for value, help in items)
