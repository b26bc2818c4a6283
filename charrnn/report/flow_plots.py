"""Plots the gradient flow with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from charrnn.arrays import Array
from charrnn.report.figures import finish, label_lines, new_figure, shades
from charrnn.report.layer_tables import layers_shown, still_rising
from charrnn.results import Flow, GradientFlow, Truncation
from charrnn.wording import activation_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

LAG = "lag l, characters"
RELATIVE = "gradient norm, relative to lag 0"
BOUND = "upper bound (γσ₁)ˡ"
LOWEST, HIGHEST = 1e-4, 1e4  # limits of the norms shown, relative to lag 0
SHORTEST = 4  # lags shown, even if nothing is left after fewer
MAX_DOUBLINGS = 8  # of the lag, with a tick each
MIN_ERROR = 1e-4  # lower limit of the error axis
MIN_BOUND = 0.25  # of the lags, up to which a bound is inside the panel if it is drawn
SMALLEST = 1e-300  # replaces 0, which has no logarithm
REFERENCE = "dimgray"


def plot_gradient_flow(found: GradientFlow, title: str | None = None) -> "Figure":
    """A panel per activation if several are compared; else the flow, W and truncation.

    Args:
        found: The gradient flow.
        title: The title of the figure, empty for none; None for one that describes the model.
    """
    title = _title(found) if title is None else title
    if found.compared:
        activations = list(dict.fromkeys(flow.activation for flow in found.flows))
        figure, panels = new_figure(len(activations), title)
        for panel, name in zip(panels, activations, strict=True):
            _compare(panel, [flow for flow in found.flows if flow.activation == name])
            _limit(panel, [_relative(flow.norms, flow) for flow in found.flows])
            _scale_lags(panel)
        return figure
    figure, panels = new_figure(3 if found.truncation else 2, title)
    if found.layers == 1:
        _profile(panels[0], found.flows[0])
        _singular_values(panels[1], found.flows[0])
    else:
        shown = [found.flows[number] for number in layers_shown(found.layers)]
        _profiles_of_layers(panels[0], shown)
        _singular_values_of_layers(panels[1], shown)
    if found.truncation:
        _truncation(panels[2], found.truncation)
    return figure


def _title(found: GradientFlow) -> str:
    """The activation, if there is only one, the size, and how long the model was trained."""
    kind = "" if found.compared else f"{activation_name(found.flows[0].activation)}, "
    top = "top of " if found.compared else ""
    layers = f"{top}{found.layers} layers of " if found.layers > 1 else ""
    when = "before training" if found.steps is None else f"after {found.steps:,} training steps"
    return f"Gradient flow back in time: {kind}{layers}{found.hidden_size} units, {when}"


def _relative(values: Array, to: Flow) -> Array:
    """Values relative to the norm at lag 0."""
    return np.maximum(values / max(float(to.norms[0]), SMALLEST), SMALLEST)


def _limit(panel: "Axes", curves: list[Array]) -> None:
    """Limits the norms shown to decades around 1, and the lags to those where one is shown."""
    from matplotlib.ticker import MaxNLocator

    reached = np.log10(np.clip(np.concatenate(curves), LOWEST, HIGHEST))
    low, high = 10 ** min(np.floor(reached.min()), -1), 10 ** (max(np.ceil(reached.max()), 0) + 0.5)
    panel.set_ylim(low, high)
    ends = [np.flatnonzero((curve > low) & (curve < high)).max(initial=0) for curve in curves]
    last = max(max(ends) + 1, SHORTEST)
    panel.set_xlim(0, max(min(last, max(map(len, curves)) - 1), 1))
    panel.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True))
    panel.yaxis.set_minor_formatter("")


def _scale_lags(panel: "Axes") -> None:
    """Makes the axis of lags logarithmic from lag 1 on, to separate slow from fast decay."""
    doublings = int(np.log2(max(panel.get_xlim()[1], 1)))
    lags = [0, *(2**n for n in range(0, doublings + 1, doublings // MAX_DOUBLINGS + 1))]
    panel.set_xscale("symlog", base=2, linthresh=1)
    panel.set_xticks(lags, [f"{lag}" for lag in lags])


def _compare(panel: "Axes", flows: list[Flow]) -> None:
    labels = []
    for flow, color in zip(flows, shades(len(flows)), strict=True):
        (line,) = panel.semilogy(_relative(flow.norms, flow), color=color, linewidth=2)
        panel.semilogy(_relative(flow.bound, flow), ":", color=color, linewidth=1)
        rate = f"×{flow.decay.rate:.2f} per character"
        labels.append((line, f"W × {flow.recurrent_gain:g}:\n{rate}"))
    label_lines(panel, labels)
    finish(panel, activation_name(flows[0].activation), f"{LAG} (dotted: {BOUND})", RELATIVE)


def _profile(panel: "Axes", flow: Flow) -> None:
    norms, bound, rate = _relative(flow.norms, flow), _relative(flow.bound, flow), flow.decay.rate
    lags = np.arange(len(norms))
    (line,) = panel.semilogy(norms, color="C0", linewidth=2.5)
    labels = [(line, "measured")]
    fitted = lags[(norms > SMALLEST) & (lags > 0)]
    if len(fitted) and 0 < rate < np.inf:
        level = (np.log(norms[fitted]) - np.log(rate) * fitted).mean()
        with np.errstate(over="ignore", under="ignore"):
            (line,) = panel.semilogy(np.exp(level + np.log(rate) * lags), "--", color="C1")
        labels.append((line, f"fitted: ×{rate:.3g}\nper character"))
    _limit(panel, [norms])
    if bound[round(panel.get_xlim()[1] * MIN_BOUND)] < panel.get_ylim()[1]:
        (line,) = panel.plot(bound, ":", color=REFERENCE)
        labels.append((line, f"{BOUND},\nγσ₁ = {flow.contraction:.3g}"))
    else:
        place, alignment = (0.04, "bottom") if flow.decay.kind == "exploding" else (0.96, "top")
        panel.text(
            0.97, place, f"{BOUND} is not shown:\nγσ₁ = {flow.contraction:.3g}",
            color=REFERENCE, fontsize="small", transform=panel.transAxes,
            horizontalalignment="right", verticalalignment=alignment,
        )  # fmt: skip
    label_lines(panel, labels)
    finish(panel, f"gradient flow: {flow.decay.kind}", LAG, RELATIVE)


def _profiles_of_layers(panel: "Axes", flows: list[Flow]) -> None:
    labels, curves = [], [_relative(flow.norms, flows[-1]) for flow in flows]
    for flow, curve, color in zip(flows, curves, shades(len(flows)), strict=True):
        (line,) = panel.semilogy(curve, color=color, linewidth=2)
        rate = "still rising" if still_rising(flow) else f"×{flow.decay.rate:.3g} per character"
        labels.append((line, f"layer {flow.layer}:\n{rate}"))
    _limit(panel, curves)
    label_lines(panel, labels)
    finish(panel, "gradient flow", LAG, f"{RELATIVE}\nof the top layer")


def _singular_values(panel: "Axes", flow: Flow) -> None:
    values, radius = flow.spectrum.singular_values, flow.spectrum.radius
    (line,) = panel.plot(np.arange(1, len(values) + 1), values, color="C0", linewidth=2.5)
    across = panel.axhline(radius, color="C1", linestyle="--")
    labels = [(line, "singular values"), (across, f"spectral radius {radius:.3g}")]
    _finish_spectrum(panel, labels, max(values[0], radius))


def _singular_values_of_layers(panel: "Axes", flows: list[Flow]) -> None:
    labels = []
    for flow, color in zip(flows, shades(len(flows)), strict=True):
        values = flow.spectrum.singular_values
        (line,) = panel.plot(np.arange(1, len(values) + 1), values, color=color, linewidth=2)
        labels.append((line, f"layer {flow.layer}: σ₁ = {values[0]:.3g}"))
    _finish_spectrum(panel, labels, max(flow.spectrum.singular_values[0] for flow in flows))


def _finish_spectrum(panel: "Axes", labels: "list[tuple[Line2D, str]]", largest: float) -> None:
    kept = panel.axhline(1, color=REFERENCE, linewidth=0.8)
    panel.set_ylim(0, 1.1 * max(largest, 1))
    panel.margins(x=0)
    label_lines(panel, [*labels, (kept, "1: lengths are kept")])
    finish(panel, "singular values of W", "rank", "singular value")


def _truncation(panel: "Axes", truncation: Truncation) -> None:
    lengths, windows = zip(*truncation.by_window.items(), strict=True)
    reaches = range(1, len(truncation.by_reach) + 1)
    labels, smallest, largest = [], truncation.tolerance, 1.0
    for x, found, style, color, label in (
        (reaches, truncation.by_reach, "-", "C0", "reach: each loss\nback k2 steps"),
        (lengths, windows, "o-", "C1", "windows of k2 steps,\nend to end"),
    ):
        errors = np.maximum([agreement.error for agreement in found], MIN_ERROR / 10)
        smallest, largest = min(smallest, errors.min()), max(largest, errors.max())
        (line,) = panel.loglog(x, errors, style, color=color, markersize=4)
        labels.append((line, label))
    accepted = panel.axhline(truncation.tolerance, color=REFERENCE, linestyle="--")
    labels.append((accepted, f"tolerance {100 * truncation.tolerance:g} %"))
    panel.set_xscale("log", base=2)
    lowest = 10 ** np.floor(np.log10(max(smallest / 2, MIN_ERROR)))
    panel.set_ylim(lowest, 1.5 * largest)
    panel.set_xticks(lengths, [f"{length}" for length in lengths])
    label_lines(panel, labels)
    finish(panel, "error of truncated gradients", "k2, characters", "‖g − G‖ / ‖G‖")
