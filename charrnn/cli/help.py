"""The help of a command, with its options in sections."""

from typing import Any

from typer.core import TyperCommand

MODEL, TRAINING, TEXT = "Model", "Training", "Text"


class Command(TyperCommand):
    """A command whose help lists its options by section."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the arguments, the options without a section, and the sections in their order."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            kind = f"{parameter.param_type_name}s".capitalize()
            section = getattr(parameter, "rich_help_panel", None) or kind
            if row := parameter.get_help_record(ctx):
                if kind == "Arguments":
                    row = (
                        parameter.metavar or str(parameter.name),
                        row[1],
                    )  # without its type in Python
                sections.setdefault(section, []).append(row)
        for section, rows in sections.items():
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)
