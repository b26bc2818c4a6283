"""Prints the gradient flow as charts and tables, with a verdict."""

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from charrnn.report.bars import log_bars
from charrnn.report.layer_tables import STYLES, print_layers, still_rising
from charrnn.report.terminal import (
    first_that_fits,
    print_line,
    simple_table,
    table_console,
    table_of,
)
from charrnn.results import Agreement, Flow, GradientFlow, Truncation
from charrnn.system.escaping import harmless_message
from charrnn.wording import activation_name, layer_sizes, pluralize

BAR_WIDTHS = (48, 36, 24, 16)  # the first that fits is drawn
LEGEND = {
    "γσ₁": "the bound (18) per character",
    "λ₁": "the largest Lyapunov exponent",
    "f′": "the mean slope",
    "rate": "per character, fitted",
}
BOUND = "bound: (γσ₁)^l, equation (18)"
BARS = f"bars: relative to lag 0, log scale; │ marks 1; {BOUND}"
# columns of the comparison to leave out on a narrow terminal, tried in this order
OMITTED: tuple[tuple[str, ...], ...] = (
    (),
    ("f′",),
    ("f′", "λ₁"),
    ("f′", "λ₁", "γσ₁"),
    ("f′", "λ₁", "γσ₁", "l=16"),
)
MEASURES = ("cosine", "‖g‖/‖G‖", "error")


def print_gradient_flow(found: GradientFlow, bars: bool = True) -> None:
    """Prints one flow in full, or several side by side; bars: whether one is drawn as bars."""
    console = table_console()
    print_line(console, harmless_message(found.model))
    print_line(console, description(found))
    if len(found.flows) == 1:
        flow = found.flows[0]
        charts = (_profile_chart(flow, width) for width in (BAR_WIDTHS if bars else (0,)))
        console.print(first_that_fits(console, charts))
        print_line(console, BARS if bars else BOUND)
        console.print(_figures(flow))
        print_line(console, verdict(flow))
    elif not found.compared:
        print_layers(console, found.flows, shown_lags(len(found.flows[0].norms) - 1))
        print_line(console, f"Lyapunov: {_exponents(found.flows[0])}")
        for flow in reversed(found.flows):
            print_line(console, f"layer {flow.layer}: {_risen(flow)}{verdict(flow)}")
    else:
        if found.layers > 1:
            print_line(console, "the gradient in the top layer")
        tables = (_comparison(found.flows, omitted) for omitted in OMITTED)
        table = first_that_fits(console, tables)
        console.print(table)
        shown = [column.header for column in table.columns if column.header in LEGEND]
        legend = "; ".join(f"{heading}: {LEGEND[str(heading)]}" for heading in shown)
        print_line(console, f"{legend}. See docs/equations.md.")
    if found.truncation:
        console.print()
        measures = (MEASURES, ("cosine", "error"), ("error",))
        tables = (_truncation_table(found.truncation, shown) for shown in measures)
        console.print(first_that_fits(console, tables))
        print_line(
            console, "reach: each loss is followed back k2 steps; windows: k2 steps, end to end"
        )
        for line in truncation_verdict(found.truncation, found.lines):
            print_line(console, line)


def description(found: GradientFlow) -> str:
    """The activation, if there is only one, and the sizes."""
    kind = "" if found.compared else found.flows[0].activation + ", "
    return f"{kind}{layer_sizes(found.layers, found.hidden_size)}, A = {found.alphabet_size}"


def _risen(flow: Flow) -> str:
    """How the gradient first grows on its way back, in layers below the top one."""
    if not flow.peak:
        return ""
    growth = f"×{flow.norms[flow.peak] / flow.norms[0]:.3g}"
    if still_rising(flow):
        return f"still rising, to {growth} after {pluralize(flow.peak, 'character')}; "
    return f"rises to {growth} after {pluralize(flow.peak, 'character')}, then "


def verdict(flow: Flow) -> str:
    """A sentence on whether gradients vanish, stay or explode."""
    decay = flow.decay
    if still_rising(flow):
        return "increase the lags to see whether it vanishes or explodes."
    if flow.norms[0] == 0:
        return "no gradient flows back: every loss has gradient zero."
    if decay.rate == 0:
        return "vanishing: the gradient is zero after one character."
    if not np.isfinite(decay.rate):
        return "exploding: the gradient overflows."
    if decay.kind == "steady":
        return f"steady: ×{decay.rate:.4f} per character; {_one_percent(flow)}."
    characters = f"{decay.half_life:.3g} characters"
    if decay.kind == "exploding":
        return f"exploding at ×{decay.rate:.4g} per character: doubles in {characters}."
    rate = f"vanishing at ×{decay.rate:.4g} per character"
    return f"{rate}: half-life {characters}, {_one_percent(flow)}."


def _one_percent(flow: Flow) -> str:
    if flow.decay.one_percent is None:
        return f"more than 1 % is left after {pluralize(len(flow.norms) - 1, 'character')}"
    return f"1 % after {flow.decay.one_percent:,}"


def truncation_verdict(truncation: Truncation, lines: bool) -> list[str]:
    """Which window keeps the error within the tolerance: a line per form of truncation.

    lines: whether windows always hold complete lines, so that no setting truncates them.
    """
    most, allowed = len(truncation.by_reach), f"{100 * truncation.tolerance:g} %"
    answers = []
    for what, k, stride in (
        ("reach", truncation.within_reach, ", training.stride=1"),
        ("windows (1, 2, 4, …)", truncation.within_window, ""),
    ):
        if k is None:
            answers.append(f"{what}: error above {allowed} for all k2 up to {most}")
            continue
        settings = f"training.window={k}{stride}"
        answers.append(
            f"{what}: error within {allowed} from {f'k2 = {k}' if lines else settings} on"
        )
    return answers


def shown_lags(last: int) -> list[int]:
    """The lags to show: 0, the powers of two, and the last."""
    return [0, *(2**n for n in range(last.bit_length()) if 2**n < last), last]


def _profile_chart(flow: Flow, bar_width: int) -> Table:
    """The norms at some lags, with bars of this width unless it is 0."""
    norms, bound, lags = flow.norms, flow.bound, shown_lags(len(flow.norms) - 1)
    fewer = flow.losses[-1] < flow.losses[0]  # short lines contribute to short lags only
    rows = [
        {"l": f"{lag}"}
        | ({"losses": f"{flow.losses[lag]:,}"} if fewer else {})
        | {"norm": f"{norms[lag]:.2e}", "bound": f"{bound[lag]:.1e}"}
        for lag in lags
    ]
    scale = ""
    if bar_width:
        scale, bars = log_bars(norms[lags] / (norms[0] or 1), bar_width)
        rows = [row | {scale: bar} for row, bar in zip(rows, bars, strict=True)]
    title = f"mean ‖∂L_t/∂h_{{t-l}}‖ of {flow.losses[0]:,} losses, by lag l in characters"
    return table_of(title, rows, (scale,))


def _figures(flow: Flow) -> Table:
    values = flow.spectrum.singular_values
    middle = values[len(values) // 2]
    if abs(flow.contraction - 1) < 1e-6:
        must = "so gradients cannot grow"
    else:
        must = "so gradients vanish" if flow.contraction < 1 else "which permits explosion"
    slopes = flow.saturation
    figures = Table.grid(padding=(0, 2))
    figures.add_column(style="dim", no_wrap=True)
    figures.add_column()
    for name, value in (
        ("W", f"singular values {values[0]:.3g} … {middle:.3g} … {values[-1]:.2g}, "
              f"spectral radius {flow.spectrum.radius:.3g}"),
        ("bound (18)", f"γσ₁ = {flow.contraction:.3g} per character, {must}"),
        ("Lyapunov", _exponents(flow)),
        ("slopes f′", f"mean {slopes.mean:.2f}; {slopes.saturated:.1%} saturated (below γ/10), "
                      f"{pluralize(slopes.stuck, 'unit')} at every step"),
    ):  # fmt: skip
        figures.add_row(name, Text(value))
    return figures


def _exponents(flow: Flow) -> str:
    largest = float(flow.lyapunov_exponents[0])
    fate = "diverge" if largest > 0 else "converge"
    what = "distances persist" if abs(largest) < 0.005 else f"nearby states {fate}"
    shown = ", ".join(f"{exponent:+.3f}" for exponent in flow.lyapunov_exponents[:4])
    return f"{shown} nats per character: {what}"


def _comparison(flows: list[Flow], omitted: tuple[str, ...]) -> Table:
    last = min(len(flow.norms) for flow in flows) - 1
    lags = sorted({min(lag, last) for lag in (1, 16, last)})
    rows: list[dict[str, RenderableType]] = []
    for flow in flows:
        norms, decay = flow.norms, flow.decay
        remaining = {f"l={lag}": f"{norms[lag] / max(norms[0], 1e-300):.0e}" for lag in lags}
        rows.append({
            "": activation_name(flow.activation),
            "W": f"×{flow.recurrent_gain:g}",
            "γσ₁": f"{flow.contraction:.2f}",
            "λ₁": f"{flow.lyapunov_exponents[0]:+.2f}",
            "f′": f"{flow.saturation.mean:.2f}",
            **remaining,
            "rate": f"×{decay.rate:.2f}",
            "gradient": Text(decay.kind, STYLES[decay.kind]),
        })  # fmt: skip
    for number in range(len(flows) - 1, 0, -1):
        if flows[number].activation == flows[number - 1].activation:
            rows[number][""] = ""
    title = "fraction of the gradient left after l characters, for W at several scales"
    table = table_of(title, rows, ("", "gradient"), omitted)
    for number, row in enumerate(rows[1:]):
        table.rows[number].end_section = row[""] != ""
    return table


def _truncation_table(truncation: Truncation, measures: tuple[str, ...]) -> Table:
    table = simple_table("truncated gradients g compared with the full one G")
    first, *others = measures
    for heading in ("k2", f"reach: {first}", *others, "", f"windows: {first}", *others):
        table.add_column(heading, justify="right", no_wrap=True)
    for k, windows in truncation.by_window.items():
        reach, ends = _agreement(truncation.by_reach[k - 1]), _agreement(windows)
        table.add_row(
            f"{k}", *(reach[name] for name in measures), "", *(ends[name] for name in measures)
        )
    return table


def _agreement(found: Agreement) -> dict[str, str]:
    values = f"{found.cosine:.4f}", f"{found.norm_ratio:.3f}", f"{found.error:.1%}"
    return dict(zip(MEASURES, values, strict=True))
