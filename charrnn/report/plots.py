"""Plots the gradient flow with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from charrnn.report.flow_tables import DISPLAY_NAMES, description
from charrnn.report.layer_tables import layers_shown
from charrnn.results import Flow, GradientFlow, Truncation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NORM = r"mean $\Vert\partial L_t/\partial h_{t-l}\Vert$"
MIN_ERROR = 1e-4  # lower limit of the error axis
MIN_POSITIVE = 1e-299  # replaces 0, which has no logarithm
MIN_FRACTION = 1e-12  # of the gradient at lag 0: negligible in float32


def plot_gradient_flow(found: GradientFlow) -> "Figure":
    """A panel per activation if several are compared; else the flow, W and truncation."""
    from matplotlib.figure import Figure

    if found.compared:
        activations = list(dict.fromkeys(flow.activation for flow in found.flows))
        figure = Figure(figsize=(4.2 * len(activations), 5.6), layout="constrained")
        panels = figure.subplots(1, len(activations), sharey=True, squeeze=False)[0]
        for panel, name in zip(panels, activations, strict=True):
            flows = [flow for flow in found.flows if flow.activation == name]
            _compare(panel, DISPLAY_NAMES.get(name, name), flows)
        panels[0].set_ylabel(f"{NORM}, relative to lag 0")
    else:
        number = 3 if found.truncation else 2
        figure = Figure(figsize=(4.6 * number, 4.8), layout="constrained")
        panels = figure.subplots(1, number)
        if found.layers == 1:
            _profile(panels[0], found.flows[0])
            _singular_values(panels[1], found.flows[0])
        else:
            _profiles_of_layers(panels[0], found.flows)
            _singular_values_of_layers(panels[1], found.flows)
        if found.truncation:
            _truncation(panels[2], found.truncation)
    title = f"{found.model}: {description(found)}"
    figure.suptitle(title, fontsize="medium", parse_math=False)
    return figure


def _finish(panel: "Axes", title: str, x: str) -> None:
    panel.set_title(title)
    panel.set_xlabel(x)
    panel.grid(alpha=0.3)
    panel.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14))


def _compare(panel: "Axes", name: str, flows: list[Flow]) -> None:
    for number, flow in enumerate(flows):
        label = f"W × {flow.recurrent_gain:g}: {flow.decay.kind}, ×{flow.decay.rate:.2f}"
        for curve, style in ((flow.norms, "-"), (flow.bound, ":")):
            left = np.clip(
                curve / max(curve[0], MIN_POSITIVE), MIN_FRACTION / 10, 10 / MIN_FRACTION
            )
            panel.semilogy(left, style, color=f"C{number}", label=label if style == "-" else None)
    panel.semilogy([], [], color="gray", linestyle=":", label="bound (18)")
    low, high = panel.get_ylim()
    panel.set_ylim(max(low, MIN_FRACTION), min(high, 1 / MIN_FRACTION))
    _finish(panel, name, "lag l, characters")


def _profile(panel: "Axes", flow: Flow) -> None:
    norms, rate = np.maximum(flow.norms, MIN_POSITIVE), flow.decay.rate
    lags = np.arange(len(norms))
    panel.semilogy(lags, norms, label="measured")
    fitted = lags[(norms > MIN_POSITIVE) & (lags > 0)]
    if len(fitted) and 0 < rate < np.inf:
        level = np.exp((np.log(norms[fitted]) - np.log(rate) * fitted).mean())
        label = f"×{rate:.3f} per character"
        panel.semilogy(lags, level * rate**lags, "--", linewidth=1, label=label)
    panel.semilogy(
        lags, np.maximum(flow.bound, MIN_POSITIVE), ":", color="gray", label="bound (18)"
    )
    top = 10 * norms.max()
    panel.set_ylim(max(norms.min() / 10, top * MIN_FRACTION**2, MIN_POSITIVE / 10), top)
    panel.set_ylabel(NORM)
    _finish(panel, f"gradient flow: {flow.decay.kind}", "lag l, characters")


def _profiles_of_layers(panel: "Axes", flows: list[Flow]) -> None:
    for flow in _some(flows):
        label = f"layer {flow.layer}: {flow.decay.kind}, ×{flow.decay.rate:.3f} per character"
        panel.semilogy(np.maximum(flow.norms, MIN_POSITIVE), label=label, color=_color(flow, flows))
    panel.set_ylabel(NORM)
    _finish(panel, "gradient flow", "lag l, characters")


def _singular_values_of_layers(panel: "Axes", flows: list[Flow]) -> None:
    for flow in _some(flows):
        values = flow.spectrum.singular_values
        label = f"layer {flow.layer}: σ₁ = {values[0]:.3g}"
        panel.plot(np.arange(1, len(values) + 1), values, label=label, color=_color(flow, flows))
    panel.axhline(1, color="gray", linewidth=0.8, label="1: lengths are kept")
    panel.set_ylim(0, 1.1 * max(float(flow.spectrum.singular_values[0]) for flow in flows))
    _finish(panel, "singular values of W", "rank")


def _some(flows: list[Flow]) -> list[Flow]:
    """All layers if they are few, else the first, the last and some between."""
    return [flows[number] for number in layers_shown(len(flows))]


def _color(flow: Flow, flows: list[Flow]) -> tuple[float, float, float]:
    """From light in the first layer to dark in the top one."""
    shade = 0.75 * (1 - flow.layer / len(flows))
    return shade, shade + 0.15, 0.6 + shade / 2


def _singular_values(panel: "Axes", flow: Flow) -> None:
    values, radius = flow.spectrum.singular_values, flow.spectrum.radius
    panel.plot(np.arange(1, len(values) + 1), values, linewidth=2.5, label="singular values")
    panel.axhline(radius, color="C1", linestyle="--", label=f"spectral radius {radius:.3g}")
    panel.axhline(1, color="gray", linewidth=0.8, label="1: length preserved")
    panel.set_ylim(0, 1.1 * max(values[0], radius, 1))
    _finish(panel, "recurrent weights W", "rank")


def _truncation(panel: "Axes", truncation: Truncation) -> None:
    lengths, windows = zip(*truncation.by_window.items(), strict=True)
    for x, found, style, label in (
        (
            range(1, len(truncation.by_reach) + 1),
            truncation.by_reach,
            ".-",
            "each loss back k2 steps",
        ),
        (lengths, windows, "o-", "windows of k2 steps, end to end"),
    ):
        errors = np.maximum([agreement.error for agreement in found], MIN_ERROR / 10)
        panel.semilogy(x, errors, style, markersize=4, label=label)
    tolerance = truncation.tolerance
    panel.axhline(tolerance, color="gray", linestyle="--", label=f"tolerance {tolerance:g}")
    panel.set_xscale("log", base=2)
    panel.set_ylim(bottom=MIN_ERROR)
    panel.set_xticks(lengths, [f"{length}" for length in lengths])
    panel.set_ylabel("‖g − G‖ / ‖G‖")
    _finish(panel, "error of truncation", "k2, characters")
