"""The gradient flow as a picture, drawn by matplotlib."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from charrnn.analysis.gradflow import Flow, GradientFlow
from charrnn.analysis.truncation import Truncation
from charrnn.errors import UsageError
from charrnn.files import write_atomically
from charrnn.report.flow_tables import DISPLAYED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
NORM = r"mean $\Vert\partial L_t/\partial h_{t-l}\Vert$"
LOWEST = 1e-12  # of the gradient of a loss: below it nothing matters to a float32


def drawing(path: str) -> "Callable[[Figure], None]":
    """What writes a figure to this file.

    Raises: UsageError where its format is none of FORMATS, or matplotlib is not there.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise UsageError(
            f"--plot {path} is none of {', '.join(FORMATS)}.", f"such as --plot {path}.png"
        )
    try:
        import matplotlib  # noqa: F401 - an extra; said before anything is computed
    except ImportError:
        raise UsageError(
            "--plot needs matplotlib, which is not installed.",
            "install it: pip install 'charrnn[plot]', or pip install matplotlib",
        ) from None

    def draw(figure: "Figure") -> None:
        content = BytesIO()
        figure.savefig(content, format=Path(path).suffix[1:].lower(), dpi=150)
        try:
            write_atomically(Path(path), content.getvalue())
        except OSError as error:
            raise UsageError(
                f"--plot {path} cannot be written: {error.strerror}.", "choose another file."
            ) from None

    return draw


def plot_gradient_flow(found: GradientFlow) -> "Figure":
    """One panel an activation where several are compared; else the flow, W, and truncation."""
    from matplotlib.figure import Figure

    if len(found.flows) > 1:
        activations = list(dict.fromkeys(flow.activation for flow in found.flows))
        figure = Figure(figsize=(4.2 * len(activations), 5.6), layout="constrained")
        panels = figure.subplots(1, len(activations), sharey=True, squeeze=False)[0]
        for panel, name in zip(panels, activations, strict=True):
            flows = [flow for flow in found.flows if flow.activation == name]
            _compare(panel, DISPLAYED.get(name, name), flows)
        panels[0].set_ylabel(f"{NORM}, as a share of lag 0")
    else:
        number = 3 if found.truncation else 2
        figure = Figure(figsize=(4.6 * number, 4.8), layout="constrained")
        panels = figure.subplots(1, number)
        _profile(panels[0], found.flows[0])
        _singular_values(panels[1], found.flows[0])
        if found.truncation:
            _truncation(panels[2], found.truncation)
    figure.suptitle(found.title.replace("\n", ": "), fontsize="medium")
    return figure


def _finish(panel: "Axes", title: str, x: str) -> None:
    panel.set_title(title)
    panel.set_xlabel(x)
    panel.grid(alpha=0.3)
    panel.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14))


def _compare(panel: "Axes", name: str, flows: list[Flow]) -> None:
    for number, flow in enumerate(flows):
        norms, bound = (
            np.clip(curve / curve[0], LOWEST / 10, 1e300) for curve in (flow.norms, flow.bound)
        )
        label = f"W × {flow.recurrent_gain:g}: {flow.decay.kind}, ×{flow.decay.rate:.2f}"
        panel.semilogy(norms, color=f"C{number}", label=label)
        panel.semilogy(bound, color=f"C{number}", linestyle=":", linewidth=1)
    panel.semilogy([], [], color="gray", linestyle=":", label="bound (18)")
    panel.set_ylim(LOWEST, 1e12)
    _finish(panel, name, "lag l, characters")


def _profile(panel: "Axes", flow: Flow) -> None:
    norms, bound = flow.norms, flow.bound
    lags, decay = np.arange(len(norms)), flow.decay
    panel.semilogy(lags, norms, label="measured")
    if 0 < decay.rate < np.inf:
        inside = norms[1:][np.isfinite(norms[1:]) & (norms[1:] > 0)]
        level = np.exp(np.log(inside).mean() - np.log(decay.rate) * lags[1:].mean())
        label = f"×{decay.rate:.3f} a character"
        panel.semilogy(lags, level * decay.rate**lags, "--", linewidth=1, label=label)
    bound = np.where(bound < 1e3 * np.nanmax(norms), bound, np.nan)
    panel.semilogy(lags, bound, ":", color="gray", label="bound (18)")
    panel.set_ylabel(NORM)
    _finish(panel, f"gradient flow: {decay.kind}", "lag l, characters")


def _singular_values(panel: "Axes", flow: Flow) -> None:
    values = flow.spectrum.singular_values
    panel.plot(np.arange(1, len(values) + 1), values, label="singular values")
    radius = flow.spectrum.radius
    panel.axhline(radius, color="C1", linestyle="--", label=f"spectral radius {radius:.2f}")
    panel.axhline(1, color="gray", linewidth=0.8)
    panel.set_ylim(0, 1.1 * max(values[0], radius, 1))
    _finish(panel, "recurrent weights W", "rank")


def _truncation(panel: "Axes", truncation: Truncation) -> None:
    errors = [agreement.error for agreement in truncation.by_reach]
    panel.loglog(np.arange(1, len(errors) + 1), errors, label="each loss followed back k2")
    lengths, windows = zip(*truncation.by_window.items(), strict=True)
    errors = [agreement.error for agreement in windows]
    panel.loglog(lengths, errors, "o-", label="windows of k2, end to end")
    tolerance = truncation.tolerance
    panel.axhline(tolerance, color="gray", linestyle="--", label=f"tolerance {tolerance:g}")
    panel.set_ylim(bottom=1e-4)
    panel.set_ylabel("‖g − G‖ / ‖G‖")
    _finish(panel, "what truncation costs", "k2, characters")
