"""Explains what is wrong with a command line: an unknown command or option, or a wrong value."""

import os
import re
from difflib import SequenceMatcher
from typing import Any

import typer

from charrnn.report.flags import OPTIONS, shell_word
from charrnn.wording import either, nearest

# names that other programs give to commands and options
COMMAND_SYNONYMS = {
    "check": "gradcheck", "configs": "config", "evaluate": "eval", "fit": "train",
    "generate": "sample", "info": "inspect", "list": "runs", "ls": "runs", "settings": "config",
    "show": "inspect", "test": "eval", "write": "sample",
}  # fmt: skip
OPTION_SYNONYMS = {
    "dir": "out", "exclude-from": "exclude", "n": "count", "name": "study",
    "num-samples": "count", "out": "study", "output": "out", "output-dir": "out",
    "prompt": "prime", "run": "out", "save": "out", "start": "prime", "temp": "temperature",
    "topk": "top-k", "topp": "top-p",
}  # fmt: skip
SIMILAR = 0.65


def explain_usage(
    error: typer.TyperException, arguments: list[str], program: Any
) -> tuple[str, str]:
    """The message for a wrong command line, and a hint.

    program: Typer's object for the program, with its options and commands.
    """
    context = getattr(error, "ctx", None)
    if context:
        command = context.command
    else:  # some errors do not say where they are
        named = [program.commands[word] for word in arguments if word in program.commands]
        command = named[0] if named else program
    outside = hasattr(command, "commands")
    path = "charrnn" if outside else f"charrnn {command.name}"
    message, hint = _explained(error, command)
    if hasattr(error, "possibilities"):
        option = str(vars(error)["option_name"])
        if outside:
            hint = hint or _of_a_command(option, arguments, program)
        elif any(option in one.opts for one in program.params):
            hint, path = f"give it without a command: charrnn {option}.", "charrnn"
    return message, f"{hint} See {path} --help" if hint else f"see {path} --help"


def _explained(error: typer.TyperException, command: Any) -> tuple[str, str | None]:
    text = error.format_message()
    if unknown := re.match(r"No such command '(.*?)'\.", text, re.DOTALL):
        name = unknown[1]  # as Typer shows it, without control characters
        return f"there is no command '{name}'.", _command_like(name, command.commands)
    option, parameter = getattr(error, "option_name", None), getattr(error, "param", None)
    if hasattr(error, "possibilities"):
        return f"there is no option {option}.", _option_like(str(option), command)
    if option:
        return _value_missing(str(option), command)
    if parameter and error.__cause__ and parameter.param_type_name == "option":
        return _wrong_value(error.__cause__, parameter)
    return text, None


def _of_a_command(option: str, arguments: list[str], program: Any) -> str | None:
    """Where to give the option of a command that was given before it."""
    for word in arguments:
        command = program.commands.get(word)
        if command and any(option in one.opts for one in command.params):
            return f"give it after the command: charrnn {word} {option}."
    return None


def _command_like(name: str, commands: dict[str, Any]) -> str | None:
    if os.path.exists(name) and nearest(name, commands, SIMILAR) is None:
        return f"did you mean charrnn train {shell_word(name)}?"
    meant = COMMAND_SYNONYMS.get(name.lower()) or nearest(name.lower(), commands, SIMILAR)
    return f"did you mean charrnn {meant}?" if meant else None


def _option_like(option: str, command: Any) -> str | None:
    """The option that an unknown one may mean, or the setting, if its name is more similar."""
    options = [name[2:] for one in command.params for name in one.opts if name[:2] == "--"]
    name = option.lstrip("-").lower()
    synonym = OPTION_SYNONYMS.get(name)
    while synonym and synonym not in options:  # one command has --out, another --study for it
        synonym = OPTION_SYNONYMS.get(synonym)
    begun = [f"--{one}" for one in options if len(name) > 1 and one.startswith(name)]
    meant = [f"--{synonym}"] if synonym else begun[:3]
    if not meant:
        similar = nearest(name, options, SIMILAR)
        settings = _settings_like(name) if "set" in options else {}
        if similar and _likeness(name, similar) >= max(settings.values(), default=0):
            meant = [f"--{similar}"]
        else:
            flags = {key: OPTIONS.get(key, "").replace("_", "-") for key in settings}
            meant = [
                f"--{flag}" if flag in options else f"--set {key}=…" for key, flag in flags.items()
            ]
    return f"did you mean {' or '.join(meant)}?" if meant else None


def _settings_like(name: str) -> dict[str, float]:
    """The settings that a name may mean, each with its likeness; 1 for what others call so."""
    from charrnn.commands.arguments import SYNONYMS, settings_like

    exact = name.replace("-", "_") in SYNONYMS
    return {
        key: 1.0 if exact else _likeness(name, key.rpartition(".")[2].replace("_", "-"))
        for key in settings_like(name)
    }


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _value_missing(option: str, command: Any) -> tuple[str, str | None]:
    parameter = next(one for one in command.params if option in one.opts)
    if parameter.is_flag:
        return f"{option} takes no value.", None
    help = parameter.help.partition("  [default")[0]
    return f"{option} needs a value.", f"{option} {parameter.metavar or 'VALUE'}: {help}"


def _wrong_value(cause: Any, parameter: Any) -> tuple[str, str | None]:
    """The message for a value that Typer refuses, in the words of this program."""
    value, option = str(cause.errors()[0]["input"]), parameter.opts[0]
    choices = [str(one) for one in parameter.type_descriptor.choices or ()]
    if choices:
        guess = nearest(value, choices)
        hint = f"did you mean {option} {guess}?" if guess else None
        return f"{option} {shell_word(value)} is not {either(choices)}.", hint
    whole = "int" in str(parameter.type_descriptor.annotation)
    low, high = parameter.min, parameter.max
    bounds = f" of at least {low:,}" if low is not None else ""
    if high is not None:
        bounds = f" from {low:,} to {high:,}" if low is not None else f" of at most {high:,}"
    kind = "whole number" if whole else "number"
    return f"{option} {_number(value)} is not a {kind}{bounds}.", None


def _number(value: str) -> str:
    return value if re.fullmatch(r"-[\d.]+", value) else shell_word(value)
