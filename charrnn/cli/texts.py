"""`charrnn texts`."""

from typing import Annotated

import typer

from charrnn.cli import completers
from charrnn.cli.options import JsonOption


def texts_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Print the path of this text, downloaded if necessary.",
            show_default=False,
            autocompletion=completers.named_texts,
        ),
    ] = None,
    clear: Annotated[
        bool,
        typer.Option(
            "--clear",
            help="Remove the download and the stored ids of this text, given by name or path, "
            "or of all.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the texts that have names, or download one.

    Other commands take such a name wherever they take a text, and download it once. The ids of a
    text of 64 MB or more are stored when it is first read; those texts are listed too.
    """
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_line
    from charrnn.commands.texts import (
        clear_texts,
        fetch_text,
        list_texts,
        require_all_removed,
    )
    from charrnn.report.text_list import print_texts
    from charrnn.wording import format_size, pluralize

    if clear:
        cleared = clear_texts(name)
        if json:
            write_json(asdict(cleared))
        else:
            if cleared.removed or not (cleared.stored or cleared.unfinished):
                size = format_size(cleared.bytes)
                write_line(f"removed {pluralize(len(cleared.removed), 'text')}, {size}")
            if cleared.stored:
                size = format_size(sum(text.bytes for text in cleared.stored))
                texts = pluralize(len(cleared.stored), "text")
                write_line(f"removed the stored ids of {texts}, {size}")
            if cleared.unfinished:
                size = format_size(cleared.unfinished)
                write_line(f"removed {size} of incomplete ids, left by programs that were killed")
        require_all_removed(cleared)
    elif name is not None:
        text = fetch_text(name)
        if json:
            write_json(asdict(text))
        else:
            write_line(text.path)
    else:
        found = list_texts()
        if json:
            write_json(asdict(found))
        else:
            print_texts(found)
