"""Writes docs/performance.md and its plot from the measurements."""

import platform
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from sides import Sizes

MARKS = BEGIN, END = "<!-- measured -->", "<!-- end -->"


def update(path: Path, result: dict[str, Any], plan: Any, ours: str) -> None:
    """Replaces the text between the marks; the rest of the page is written by hand."""
    before, after = "# Performance\n\n", "\n"
    if path.exists():
        page = path.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
    lines = "\n".join(measured(result, plan, ours))
    path.write_text(f"{before}{BEGIN}\n{lines}\n{END}{after}", encoding="utf-8")


def measured(result: dict[str, Any], plan: Any, ours: str) -> list[str]:
    """The measurements as lines of Markdown."""
    peak = median(speed for step in result["steps"] for speed in step["peak"])
    peers = plan.peers
    heading = ["T, B, H, A", ours, *peers, "fastest peer", "spread", "of peak"]
    lines = [
        f"Measured on {machine()}, with {versions(peers)}.",
        f"The single-precision matrix product on this machine: {peak / 1e9:,.0f} GFLOP/s.",
        "",
        "| " + " | ".join(heading) + " |",
        "|---" * len(heading) + "|",
        *(row(step, ours, peers) for step in result["steps"]),
        "",
    ]
    (hidden, alphabet, _, texts), writing = plan.writing, result["writing"]
    one, many = (1 / median(writing[name]) for name in (ours, "at once"))
    text = f"Sampling, H = {hidden}, A = {alphabet}: {one:,.0f} characters per second for one text"
    theirs = [name for name in writing if name in peers]
    for name in theirs:
        ratio = median(t / o for t, o in zip(writing[name], writing[ours], strict=True))
        text += f", **{ratio:.1f} ×** the {1 / median(writing[name]):,.0f} of PyTorch"
    lines += [
        f"{text}; {many:,.0f} for {texts} texts at once.",
        f"Reading an ASCII file into ids: {result['reading'] / 1e6:,.0f} MB/s.",
        "",
        "Time per step with 1, 2, … workers, "
        f"at T, B, H, A = {', '.join(map(str, plan.middle))}: "
        + ", ".join(f"{1e3 * seconds:.1f} ms" for seconds in result["workers"].values())
        + ".",
    ]
    return lines


def row(step: dict[str, Any], ours: str, peers: tuple[str, ...]) -> str:
    """A table row: characters per second, and ratios of times in the same round."""
    sizes = Sizes(*step["sizes"])
    times = step["times"]
    speeds = {name: f"{sizes.T * sizes.B / median(found):,.0f}" for name, found in times.items()}
    ratio = "—"
    if peers:
        fastest = min(peers, key=lambda name: median(times[name]))
        ratios = [t / o for t, o in zip(times[fastest], times[ours], strict=True)]
        ratio = f"**{median(ratios):.2f} ×** ({min(ratios):.2f} to {max(ratios):.2f})"
    spread = (max(times[ours]) - min(times[ours])) / median(times[ours])
    operations = 3 * sizes.T * sizes.B * 2 * sizes.multiplications
    share = median(operations / t / p for t, p in zip(times[ours], step["peak"], strict=True))
    cells = [str(sizes), speeds[ours], *(speeds[name] for name in peers)]
    return "| " + " | ".join([*cells, ratio, f"{spread:.0%}", f"{share:.0%}"]) + " |"


def machine() -> str:
    """The number of cores and the model name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    found = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in found if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.processor()


def versions(peers: tuple[str, ...]) -> str:
    """The versions of Python, NumPy and the peers."""
    known = [("torch", "torch"), ("jax", "JAX")]
    names = [name for name, part in known if any(part.lower() in peer.lower() for peer in peers)]
    found = ", ".join(f"{name} {version(name)}" for name in ["numpy", *names])
    return f"Python {platform.python_version()}, {found}"


def picture(path: Path, growth: dict[str, list[tuple[tuple[int, ...], float]]]) -> None:
    """Plots the time per step against each size, with lines of exact proportionality."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6 * len(growth), 3.4), layout="constrained")
    panels = figure.subplots(1, len(growth), squeeze=False, sharey=True)[0]
    for panel, (name, found) in zip(panels, growth.items(), strict=True):
        values = [sizes["TBHA".index(name)] for sizes, _ in found]
        times = [1e3 * seconds for _, seconds in found]
        panel.loglog(values, times, "o-", label="measured")
        for power, line in ((1, ":"), (2, "--")) if name == "H" else ((1, ":"),):
            law = [times[-1] * (value / values[-1]) ** power for value in values]
            panel.loglog(values, law, line, color="gray", label=f"∝ {name}{'²' * (power - 1)}")
        panel.set_xticks(values, [str(value) for value in values])
        panel.minorticks_off()
        panel.set_xlabel(name)
        panel.set_ylim(top=2 * max(t for _, all_ in growth.items() for _, t in all_) * 1e3)
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small", loc="upper left")
    panels[0].set_ylabel("milliseconds per step")
    figure.savefig(path, dpi=110)
