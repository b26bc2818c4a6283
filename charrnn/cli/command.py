"""A command of the command line: its help in sections, and options that are added to its own."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from typer._click.exceptions import BadOptionUsage
from typer.core import TyperCommand

MODEL, TRAINING, TEXT = "Model", "Training", "Text"
Function = Callable[..., None]


class Command(TyperCommand):
    """A command whose help lists its options by section."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments, none of which is both an option and the value of the one before.

        Raises:
            BadOptionUsage: The value of an option is missing.
        """
        options: dict[str, Any] = {name: one for one in self.get_params(ctx) for name in one.opts}
        before = args[: args.index("--")] if "--" in args else args
        words = map(ctx.token_normalize_func, before)
        for word in words:
            option = options.get(word)
            if option and option.param_type_name == "option" and not option.is_flag:
                value = next(words, "")
                if value in options and value.startswith("-") and not ctx.resilient_parsing:
                    raise BadOptionUsage(word, "it needs a value", ctx)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the arguments, the options without a section, and the sections in their order."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            kind = f"{parameter.param_type_name}s".capitalize()
            section = getattr(parameter, "rich_help_panel", None) or kind
            if row := parameter.get_help_record(ctx):
                if kind == "Arguments":  # without its type in Python
                    row = (parameter.metavar or str(parameter.name), row[1])
                sections.setdefault(section, []).append(row)
        for section, rows in sections.items():
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)


def add_options(
    command: Function,
    options: dict[str, Any],
    call: Callable[[dict[str, Any], dict[str, Any]], None],
) -> Function:
    """A command with further options.

    Args:
        command: The command, whose parameter `settings` is no option.
        options: The annotations of the options, by their names; their default is None.
        call: Runs the command with the values of its own options, and those of the further ones.
    """

    @wraps(command)
    def extended(**values: Any) -> None:
        further = {name: values.pop(name) for name in options}
        call(values, further)

    kind = inspect.Parameter.KEYWORD_ONLY
    own = [one for one in inspect.signature(command).parameters.values() if one.name != "settings"]
    parameters = own + [
        inspect.Parameter(name, kind, default=None, annotation=annotation)
        for name, annotation in options.items()
    ]
    vars(extended)["__signature__"] = inspect.Signature(parameters)
    extended.__annotations__ = {one.name: one.annotation for one in parameters}
    return extended
