"""Prints how gradients flow back in time and down through the layers of a stack."""

import numpy as np
from rich.console import Console, RenderableType
from rich.text import Text

from charrnn.report.terminal import first_that_fits, print_line, table_of
from charrnn.results import Flow

MAX_LAYERS_SHOWN = 5  # in the table of lags: the first, the last, and some between
STYLES = {"vanishing": "blue", "steady": "green", "exploding": "red"}
# columns to leave out on a narrow terminal, tried in this order
OMITTED: tuple[tuple[str, ...], ...] = ((), ("σ₁", "saturated"), ("σ₁", "saturated", "f′"))


def print_layers(console: Console, flows: list[Flow], lags: list[int]) -> None:
    """Prints the norms of each layer at these lags, and what decides about them."""
    shown = np.unique(np.linspace(0, len(flows) - 1, MAX_LAYERS_SHOWN).round().astype(int))
    profiles = [
        {"l": f"{lag}"}
        | {f"layer {number + 1}": f"{flows[number].norms[lag]:.2e}" for number in shown}
        for lag in lags
    ]
    losses = f"{flows[0].losses[0]:,}"
    print_line(console, f"mean ‖∂L_t/∂h_{{t-l}}‖ of {losses} losses, l characters back", "bold")
    console.print(table_of("", profiles))
    rows: list[dict[str, RenderableType]] = [
        {
            "layer": f"{flow.layer}",
            "reaches it": f"{flow.norms[0] / max(float(flows[-1].norms[0]), 1e-300):.2f}",
            "σ₁": f"{flow.spectrum.singular_values[0]:.2f}",
            "γσ₁": f"{flow.contraction:.2f}",
            "f′": f"{flow.saturation.mean:.2f}",
            "saturated": f"{flow.saturation.saturated:.1%}",
            "rate": f"×{flow.decay.rate:.3f}",
            "": Text(flow.decay.kind, STYLES[flow.decay.kind]),
        }
        for flow in reversed(flows)
    ]
    title = "down through the layers"
    tables = (table_of(title, rows, ("",), omitted) for omitted in OMITTED)
    console.print(first_that_fits(console, tables))
    print_line(console, "reaches it: the norm at l = 0, relative to the top layer's")
