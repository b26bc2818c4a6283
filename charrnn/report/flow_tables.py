"""The gradient flow as charts and tables, with a verdict in words, on stdout."""

import numpy as np
from rich import box
from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from charrnn.analysis.flow import Decay
from charrnn.analysis.gradflow import Flow, GradientFlow
from charrnn.analysis.truncation import Agreement, Truncation
from charrnn.report.terminal import PipeConsole

BAR_WIDTH = 40
DISPLAYED = {"relu": "ReLU"}
STYLES = {"vanishing": "blue", "steady": "green", "exploding": "red"}


def print_gradient_flow(found: GradientFlow) -> None:
    """What was found: of one model in full, of several side by side."""
    console = PipeConsole(highlight=False)
    console.print(found.title, markup=False, soft_wrap=True)
    if len(found.flows) == 1:
        flow = found.flows[0]
        console.print(_profile_chart(flow))
        console.print(_figures(flow))
        console.print(verdict(flow.decay), markup=False, soft_wrap=True)
    else:
        console.print(_comparison(found.flows))
    if found.truncation:
        console.print(_truncation_table(found.truncation))
        for line in truncation_verdict(found.truncation):
            console.print(line, markup=False, soft_wrap=True)


def verdict(decay: Decay) -> str:
    """What becomes of a gradient on its way back, in a sentence."""
    if decay.rate == 0:
        return "vanishing: nothing is left after a character."
    if not np.isfinite(decay.rate):
        return "exploding beyond all numbers."
    if decay.kind == "steady":
        return f"steady: ×{decay.rate:.4f} a character; {_one_percent(decay)}."
    characters = f"{decay.half_life:.3g} characters"
    if decay.kind == "exploding":
        return f"exploding at ×{decay.rate:.4g} a character: it doubles in {characters}."
    return (
        f"vanishing at ×{decay.rate:.4g} a character: half-life {characters}; "
        f"{_one_percent(decay)}."
    )


def _one_percent(decay: Decay) -> str:
    if decay.one_percent is None:
        return "more than 1 % is left at the end"
    return f"less than 1 % is left after {decay.one_percent:,}"


def truncation_verdict(truncation: Truncation) -> list[str]:
    """The answer to the question which window, a line for each of the two readings."""
    most, allowed = len(truncation.by_reach), f"{truncation.tolerance:.0%}"
    lines = []
    for what, k, note in (
        ("following each loss back", truncation.within_reach, "(training.stride=1)"),
        ("windows end to end", truncation.within_window, "(training.stride=null)"),
    ):
        if k is None:
            text = f"{what}, no k2 up to {most} keeps the error within {allowed} {note}"
        else:
            text = f"{what}, k2 = {k} keeps the error within {allowed} {note}"
        lines.append(text)
    return lines


def shown_lags(last: int) -> list[int]:
    """0, the powers of two, and the last."""
    return [0, *(2**n for n in range(last.bit_length()) if 2**n < last), last]


def _profile_chart(flow: Flow) -> Table:
    norms, bound = flow.norms, flow.bound
    table = Table(
        title=f"mean ‖∂L_t/∂h_{{t-l}}‖ of {flow.losses:,} losses, l characters back (logarithmic)",
        title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        padding=(0, 1, 0, 0),
    )  # fmt: skip
    for heading in ("l", "norm", "at most (18)"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    with np.errstate(divide="ignore"):
        logarithms = np.log10(norms)
    finite = logarithms[np.isfinite(logarithms)]
    top = finite.max(initial=-300.0)
    bottom = min(finite.min(initial=300.0), top - 1) - 0.05
    for lag in shown_lags(len(norms) - 1):
        height = (logarithms[lag] - bottom) / (top - bottom)
        bar = Bar(1, 0, float(np.clip(height, 0, 1)), width=BAR_WIDTH)
        table.add_row(f"{lag}", f"{norms[lag]:.2e}", f"{bound[lag]:.1e}", bar)
    return table


def _figures(flow: Flow) -> Table:
    values, exponents = flow.spectrum.singular_values, flow.lyapunov_exponents
    middle = values[len(values) // 2]
    if abs(flow.contraction - 1) < 1e-6:
        must = "so what flows back cannot grow"
    else:
        must = "so what flows back " + ("has to vanish" if flow.contraction < 1 else "may explode")
    slopes = flow.saturation
    figures = Table.grid(padding=(0, 2))
    figures.add_column(style="dim")
    figures.add_column()
    for name, value in (
        ("W", f"singular values {values[0]:.3g} … {middle:.3g} … {values[-1]:.2g}, "
              f"spectral radius {flow.spectrum.radius:.3g}"),
        ("bound (18)", f"γσ₁ = {flow.contraction:.3g} a character, {must}"),
        ("Lyapunov", ", ".join(f"{x:+.3f}" for x in exponents[:4])
                     + f" nats a character: {_fate(float(exponents[0]))}"),
        ("slopes f′", f"mean {slopes.mean:.2f}; {slopes.saturated:.1%} below a tenth of the "
                      f"steepest; {slopes.stuck:,} units always"),
    ):  # fmt: skip
        figures.add_row(name, Text(value))
    return figures


def _fate(largest: float) -> str:
    if abs(largest) < 0.005:
        return "near states keep their distance"
    return "near states part" if largest > 0 else "near states meet"


def _comparison(flows: list[Flow]) -> Table:
    last = min(len(flow.norms) for flow in flows) - 1
    lags = [lag for lag in (1, 16, last) if lag <= last]
    table = Table(
        title="what is left of a loss's gradient l characters back, for W at several scales",
        title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        padding=(0, 1, 0, 0),
    )  # fmt: skip
    table.add_column("", no_wrap=True)
    for heading in ("W", "γσ₁", "λ₁", "f′", *(f"l={lag}" for lag in lags), "rate"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for number, flow in enumerate(flows):
        norms, decay = flow.norms, flow.decay
        new = number == 0 or flow.activation != flows[number - 1].activation
        table.add_row(
            DISPLAYED.get(flow.activation, flow.activation) if new else "",
            f"×{flow.recurrent_gain:g}",
            f"{flow.contraction:.2f}",
            f"{flow.lyapunov_exponents[0]:+.2f}",
            f"{flow.saturation.mean:.2f}",
            *(f"{norms[lag] / norms[0]:.0e}" for lag in lags),
            f"×{decay.rate:.2f}",
            Text(decay.kind, STYLES[decay.kind]),
            end_section=number + 1 < len(flows) and flows[number + 1].activation != flow.activation,
        )
    return table


def _truncation_table(truncation: Truncation) -> Table:
    table = Table(
        title="truncated gradients g beside the full one G, of all parameters together",
        caption="reach: each loss followed back k2 steps; windows: of k2, end to end",
        title_justify="left", title_style="bold", caption_justify="left",
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    headings = ("cosine", "‖g‖/‖G‖", "error")
    for heading in ("k2", *(f"reach: {headings[0]}", *headings[1:]), "",
                    *(f"windows: {headings[0]}", *headings[1:])):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for k, windows in truncation.by_window.items():
        row = (*_agreement(truncation.by_reach[k - 1]), "", *_agreement(windows))
        table.add_row(f"{k}", *row)
    return table


def _agreement(found: Agreement) -> tuple[str, ...]:
    return f"{found.cosine:.4f}", f"{found.norm_ratio:.3f}", f"{found.error:.1%}"
