"""`charrnn config`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import ConfigOption, JsonOption, SetOption, one_config
from charrnn.cli.settings import OPTIONS, settings_options
from charrnn.errors import UsageError
from charrnn.keywords import as_layer


@settings_options(*OPTIONS)
def config_command(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="CONFIG|RUN",
            help="Built-in config, YAML file, run directory or checkpoint. By default the default "
            "config.",
            show_default=False,
            autocompletion=completers.models,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Print only what differs from the default config.")
    ] = False,
    list_configs: Annotated[
        bool, typer.Option("--list", help="List the built-in configs instead.")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="Print a JSON schema of config files, for editors, instead."),
    ] = False,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Print a config as YAML, with the origin of each value.

    The output is a config file, too.
    """
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_note, write_text
    from charrnn.commands.config import built_in_configs, config_schema, describe_config
    from charrnn.report.config_text import config_text, print_built_in_configs
    from charrnn.report.flags import as_flags

    path = one_config(config)
    if list_configs or schema:
        if any([list_configs and schema, source, path, assignments, changed, settings]):
            option = "list" if list_configs else "schema"
            raise UsageError(f"`{option}` shows no config.", f"leave out `{option}`, or the rest.")
        if schema:
            write_json(config_schema())
        elif json:
            write_json(built_in_configs())
        else:
            print_built_in_configs(built_in_configs())
        return
    described = describe_config(source, path, assignments or [], as_layer(settings), changed)
    if json:
        origins = {key: as_flags(origin) for key, origin in described.origins.items()}
        document = asdict(described) | {"origins": origins}
        del document["lines"]
        write_json(document)
    else:
        write_text(config_text(described, changed))
        if not described.lines:
            write_note("it is the default config.")
