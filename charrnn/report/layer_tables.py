"""Prints how gradients flow back in time and down through the layers of a stack."""

import numpy as np
from rich.console import Console, RenderableType
from rich.text import Text

from charrnn.report.terminal import first_that_fits, print_line, table_of
from charrnn.results import Flow

MAX_LAYERS_SHOWN = 5  # in the table of lags and in plots
STYLES = {"vanishing": "blue", "steady": "green", "exploding": "red"}
# columns to leave out on a narrow terminal, tried in this order
OMITTED: tuple[tuple[str, ...], ...] = ((), ("σ₁", "saturated"), ("σ₁", "saturated", "f′"))


def print_layers(console: Console, flows: list[Flow], lags: list[int]) -> None:
    """Prints the norms of each layer at these lags, and what decides about them."""
    shown = layers_shown(len(flows))
    profiles = [
        {"l": f"{lag}"}
        | {f"layer {number + 1}": f"{flows[number].norms[lag]:.2e}" for number in shown}
        for lag in lags
    ]
    losses = f"{flows[0].losses[0]:,}"
    print_line(console, f"mean ‖∂L_t/∂h_{{t-l}}‖ of {losses} losses, l characters back", "bold")
    console.print(table_of("", profiles))
    top = flows[-1].norms[0]
    rows: list[dict[str, RenderableType]] = [
        {
            "layer": f"{flow.layer}",
            "reaches it": f"{flow.norms[0] / top:.2f}" if top else "-",
            "σ₁": f"{flow.spectrum.singular_values[0]:.2f}",
            "γσ₁": f"{flow.contraction:.2f}",
            "f′": f"{flow.saturation.mean:.2f}",
            "saturated": f"{flow.saturation.saturated:.1%}",
            "rate": "-" if still_rising(flow) else f"×{flow.decay.rate:.3f}",
            "": Text("rising") if still_rising(flow) else _kind(flow),
        }
        for flow in reversed(flows)
    ]
    title = "down through the layers"
    tables = (table_of(title, rows, ("",), omitted) for omitted in OMITTED)
    console.print(first_that_fits(console, tables))
    print_line(
        console,
        "reaches it: the norm at l = 0, relative to the top layer's; γσ₁: the bound (18) per "
        "character of a layer by itself; rate: per character, fitted from the largest norm on",
    )


def layers_shown(depth: int) -> list[int]:
    """The layers to show, counted from 0: all if they are few, else the ends and some between."""
    spread = np.linspace(0, depth - 1, min(depth, MAX_LAYERS_SHOWN))
    return [int(number) for number in spread.round()]


def still_rising(flow: Flow) -> bool:
    """Whether the profile of a layer is largest at its last lag, before it can be judged."""
    return 0 < flow.peak == len(flow.norms) - 1


def _kind(flow: Flow) -> Text:
    return Text(flow.decay.kind, STYLES[flow.decay.kind])
