"""Prints how gradients flow back in time and down through the layers of a stack."""

import numpy as np
from rich.table import Table
from rich.text import Text

from charrnn.results import Flow

MAX_COLUMNS = 5  # layers shown in the table of lags: the first, the last, and some between


def profile_table(flows: list[Flow], table: Table, lags: list[int]) -> Table:
    """Fills a table with the norms at these lags, a column for each layer."""
    shown = np.unique(np.linspace(0, len(flows) - 1, MAX_COLUMNS).round().astype(int))
    table.add_column("l", justify="right", no_wrap=True)
    for number in shown:
        table.add_column(f"layer {number + 1}", justify="right", no_wrap=True)
    for lag in lags:
        table.add_row(f"{lag}", *(f"{flows[number].norms[lag]:.2e}" for number in shown))
    return table


def layer_table(flows: list[Flow], table: Table, styles: dict[str, str]) -> Table:
    """Fills a table with the figures of each layer, from the top down as gradients flow."""
    for heading in ("layer", "reaches it", "σ₁", "γσ₁", "f′", "saturated", "rate"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    top = max(float(flows[-1].norms[0]), 1e-300)
    for flow in reversed(flows):
        decay = flow.decay
        table.add_row(
            f"{flow.layer}",
            f"{flow.norms[0] / top:.2f}",
            f"{flow.spectrum.singular_values[0]:.2f}",
            f"{flow.contraction:.2f}",
            f"{flow.saturation.mean:.2f}",
            f"{flow.saturation.saturated:.1%}",
            f"×{decay.rate:.3f}",
            Text(decay.kind, styles[decay.kind]),
        )
    return table
