"""Compares what numba compiles with NumPy, PyTorch and JAX: a step of one lane, one sampled text.

    OMP_NUM_THREADS=1 python benchmarks/compiled.py [--rounds 25]

Each side runs in a separate process, and they take turns. A ratio is the median of those within a
round, with its quartiles; the machine may be in use.
"""

import argparse
import sys
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent))

from performance import OURS, SAMPLING_PEER, Process, check

NUMPY = "charrnn by NumPy"
STEPS = (
    (25, 1, 100, 65),
    (64, 1, 100, 65),
    (25, 1, 256, 65),
    (25, 4, 100, 65),
    (25, 1, 128, 65, 2),
)
TEXTS = ((512, 65), (100, 65), (1024, 65))


def ratios(times: dict[str, list[float]]) -> str:
    """How much faster the compiled form is than each other side."""
    found = []
    for name, theirs in times.items():
        if name != OURS:
            each = [other / ours for ours, other in zip(times[OURS], theirs, strict=True)]
            low, _, high = quantiles(each, n=4)
            found.append(f"{name} {median(each):.2f} ({low:.2f} to {high:.2f})")
    return "; ".join(found)


def main() -> None:
    """Prints a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=0.1, help="per measurement")
    parser.add_argument("--peers", default="PyTorch nn.RNN,JAX scan", help="comma-separated")
    options = parser.parse_args()
    names = [OURS, NUMPY, *filter(None, options.peers.split(","))]
    sides = {name: Process(name) for name in names}
    for sizes in STEPS:
        check({name: side.ask("make", sizes) for name, side in sides.items()}, sizes)
        times: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(options.rounds):
            for name, side in sides.items():
                times[name].append(side.ask("step", options.seconds))
        step = 1e6 * median(times[OURS])
        print(f"a step at {sizes}: {step:.0f} µs; faster than {ratios(times)}", flush=True)
    writers = [name for name in names if name in (OURS, NUMPY, SAMPLING_PEER)]
    for hidden_size, alphabet in TEXTS:
        times = {name: [] for name in writers}
        for _ in range(options.rounds):
            for name in writers:
                times[name].append(sides[name].ask("write", (1, 1, hidden_size, alphabet), 1000))
        each = 1e6 * median(times[OURS])
        print(
            f"a character at H = {hidden_size}: {each:.1f} µs; faster than {ratios(times)}",
            flush=True,
        )
    for side in sides.values():
        side.end()


if __name__ == "__main__":
    main()
