"""`charrnn explain`."""

from typing import Annotated, Any

import typer

from charrnn.cli import completers
from charrnn.cli.options import (
    ConfigOption,
    JsonOption,
    PlotOption,
    SetOption,
    TitleOption,
    one_config,
)
from charrnn.cli.settings import settings_options
from charrnn.keywords import as_layer
from charrnn.wording import either

TOPICS = (
    "forward", "softmax", "output", "backward", "terms", "forward-mode", "update", "vanishing",
    "truncation", "slips",
)  # fmt: skip


@settings_options("hidden_size", "layers", "activation")
def explain_command(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC",
            help=f"{either(TOPICS)}. By default a tour of all.",
            show_default=False,
            autocompletion=completers.choice_of(*TOPICS),
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="CHECKPOINT|CONFIG",
            help="Checkpoint or run directory; or a config, for its network before training. By "
            "default a network of three units.",
            show_default=False,
            autocompletion=completers.models,
        ),
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    text: Annotated[
        str, typer.Option(metavar="STRING", help="Text that the network reads.")
    ] = "hello world",
    step: Annotated[
        int | None,
        typer.Option(metavar="T", help="Step to show in detail, from 1.  [default: the last]"),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(metavar="N", help="Layer to show, from 1.  [default: the top one]"),
    ] = None,
    window: Annotated[
        int,
        typer.Option(metavar="K2", max=1000, help="truncation: characters that BPTT goes back."),
    ] = 4,
    stride: Annotated[
        int, typer.Option(metavar="K1", help="truncation: new characters per sweep.")
    ] = 2,
    plot: PlotOption = None,
    title: TitleOption = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Random seed of initial weights.  [default: the config's]"
        ),
    ] = None,
    json: JsonOption = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Show in real numbers how the gradient of a network comes about.

    Numbers in parentheses are those of docs/equations.md.
    """
    from dataclasses import asdict

    from charrnn.cli.output import plot_writer, write_json, write_note, write_notes
    from charrnn.commands.explain import explain
    from charrnn.report.explanation import print_explanation
    from charrnn.report.explanation_plots import plot_explanation

    draw = plot_writer(plot, title)
    found, notes = explain(
        topic, model, one_config(config), assignments or [], text, step, layer, window, stride,
        seed, announce=write_note,
        flags=as_layer(settings),
    )  # fmt: skip
    if draw:
        draw(plot_explanation(found, title))
        notes += (f"plot saved to {plot}",)
    write_notes(notes)
    if json:
        write_json(asdict(found))
    else:
        print_explanation(found)
