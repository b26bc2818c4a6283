"""Compares the speed per multiplication of stacks of 1, 2 and 3 layers of the same T, B, H and A.

A measurement is one training step: forward, backward, clip, Adam. Multiplications are those of the
forward pass per character, H·H·(2L - 1) + A·H. The numbers of layers take turns in rounds; the
table gives medians, and for each stack the median of its ratios to the single layer of the same
round, with the smallest and the largest.

    python benchmarks/layers.py
"""

import argparse
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from sides import Sizes, charrnn, windows
from worker import seconds_per_call

LAYERS = (1, 2, 3)
ALL_SIZES = (
    (25, 1, 100, 65),
    (50, 50, 128, 65),
    (64, 16, 256, 65),
    (64, 32, 256, 65),
    (64, 32, 512, 65),
)


def measure(
    sizes: tuple[int, ...], threads: int | None, rounds: int, seconds: float
) -> dict[int, list[float]]:
    """Multiplications per second in each round, by the number of layers."""
    stacks = {L: Sizes(*sizes, L) for L in LAYERS}
    sides = {L: charrnn(stack, threads) for L, stack in stacks.items()}
    speeds: dict[int, list[float]] = {L: [] for L in LAYERS}
    try:
        for _ in range(rounds):
            for L, side in sides.items():
                x, y = windows(stacks[L])
                step = seconds_per_call(lambda side=side, x=x, y=y: side.step(x, y), seconds)
                speeds[L].append(x.size * stacks[L].multiplications / step)
    finally:
        for side in reversed(sides.values()):  # each restores the BLAS threads that it found
            side.close()
    return speeds


def main() -> None:
    """Prints a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=4, metavar=tuple("TBHA"), help="only this size")
    parser.add_argument("--threads", type=int, help="by default, as many as charrnn chooses")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="per measurement")
    options = parser.parse_args()
    print("T, B, H, A         layers  10⁹ mult. per s  per mult., of one layer's speed")
    for sizes in [tuple(options.sizes)] if options.sizes else ALL_SIZES:
        speeds = measure(sizes, options.threads, options.rounds, options.seconds)
        for L, found in speeds.items():
            line = f"{', '.join(map(str, sizes)):<18} {L:>6} {median(found) / 1e9:>16.2f}"
            if L > 1:
                ratios = [one / other for one, other in zip(found, speeds[1], strict=True)]
                line += f"  {median(ratios):>4.0%} ({min(ratios):.0%} to {max(ratios):.0%})"
            print(line, flush=True)


if __name__ == "__main__":
    main()
