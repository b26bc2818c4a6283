"""Measures what ranks make of a training step, and what the sum of their gradients costs.

A step is forward, backward, the sum over the ranks, clip and Adam, with the short messages that
precede them in a run. Divided: the ranks share B lanes; each: every rank has B lanes of its own.

    python benchmarks/ranks.py --workers 2
    mpirun -n 2 python benchmarks/ranks.py --workers 1
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from sides import Sizes, charrnn, windows
from worker import seconds_per_call

from charrnn.setup.plan_grid import weights_of
from charrnn.system.launcher import launched
from charrnn.system.ranks import Ranks, join

ALL_SIZES = (
    (64, 16, 128, 65, 1),
    (64, 32, 256, 65, 1),
    (64, 64, 512, 65, 1),
    (64, 64, 512, 65, 2),
    (64, 64, 1024, 65, 1),
)


def seconds_of_step(sizes: Sizes, workers: int, ranks: Ranks | None, seconds: float) -> float:
    """The time of a step whose lanes the ranks divide."""
    side, (x, y), order = charrnn(sizes, workers, ranks=ranks), windows(sizes), np.zeros(2)

    def step() -> None:
        for _ in range(2 if ranks else 0):
            ranks.broadcast(order)
        side.step(x, y)

    try:
        return _seconds(step, ranks, seconds)
    finally:
        side.close()


def seconds_of_sum(entries: int, ranks: Ranks | None, seconds: float) -> float:
    """The time to add an array of float32 over the ranks."""
    array = np.zeros(entries, np.float32)
    return _seconds(lambda: ranks.add(array), ranks, seconds) if ranks else 0.0


def _seconds(call: Callable[[], None], ranks: Ranks | None, seconds: float) -> float:
    return seconds_per_call(call, seconds, ranks.tell if ranks else lambda calls: calls)


def main() -> None:
    """Prints a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="threads of each rank")
    parser.add_argument("--sizes", type=int, nargs=5, metavar=tuple("TBHAL"), help="only this size")
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    options = parser.parse_args()
    started = launched()
    ranks = join(started) if started else None
    say = print if ranks is None or ranks.rank == 0 else lambda *_, **__: None
    count = ranks.size if ranks else 1
    say(f"{count} × {options.workers} threads")
    say("T, B, H, A              ms/step of B   of B each     sum   megabytes")
    for found in [tuple(options.sizes)] if options.sizes else ALL_SIZES:
        sizes = Sizes(*found)
        entries = round(weights_of(sizes.L, sizes.H, sizes.A))
        divided, each = (
            seconds_of_step(sizes._replace(B=lanes), options.workers, ranks, options.seconds)
            for lanes in (sizes.B, sizes.B * count)
        )
        added = seconds_of_sum(entries, ranks, options.seconds)
        say(
            f"{sizes!s:<24}{1e3 * divided:>12.2f}{1e3 * each:>12.2f}{1e3 * added:>8.2f}"
            f"{4e-6 * entries:>12.2f}",
            flush=True,
        )
    if ranks:
        ranks.leave()


if __name__ == "__main__":
    main()
