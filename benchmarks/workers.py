"""Measures what each number of workers makes of a training step, and how long they wait.

A step is forward, backward, clip and Adam. The waiting is the wall time of the tasks of all
workers less their processor time: mostly waiting for the interpreter's lock, beside what the
operating system gives to other programs. The numbers of workers take turns in rounds.

    python benchmarks/workers.py
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from sides import THREADS, Sizes, charrnn, windows
from worker import seconds_per_call

from charrnn.training.workers import Workers, choose_workers

COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 24, 32, 48, 64)
ALL_SIZES = (
    (50, 50, 128, 65),
    (64, 16, 256, 65),
    (64, 16, 384, 65),
    (64, 32, 256, 65),
    (64, 64, 512, 65),
    (64, 64, 1024, 65),
)


@contextmanager
def timed_tasks() -> Iterator[list[float]]:
    """Adds up the wall time and the processor time of the tasks of all workers."""
    spent = [0.0, 0.0]
    run = Workers.run

    def timed(self: Workers, task: Callable[[int], Any], count: int) -> list[Any]:
        def measured(number: int) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            result = task(number)
            times[number] = time.perf_counter() - wall, time.thread_time() - cpu
            return result

        times = [(0.0, 0.0)] * count
        results = run(self, measured, count)
        for n, total in enumerate(map(sum, zip(*times, strict=True))):
            spent[n] += total
        return results

    Workers.run = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        Workers.run = run  # type: ignore[method-assign]


def measure(sizes: Sizes, count: int, seconds: float) -> tuple[float, float]:
    """The seconds of a step with this number of workers, and the share of time they wait."""
    side = charrnn(sizes, count)
    x, y = windows(sizes)
    try:
        step = seconds_per_call(lambda: side.step(x, y), seconds)
        with timed_tasks() as spent:
            seconds_per_call(lambda: side.step(x, y), seconds / 2)
    finally:
        side.close()
    wall, cpu = spent
    return step, max(1 - cpu / wall, 0.0)


def main() -> None:
    """Prints a line for each size and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=4, metavar=tuple("TBHA"), help="only this size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="per measurement")
    options = parser.parse_args()
    print("T, B, H, A         workers  lanes   ms/step  speed-up  waiting")
    for found in [tuple(options.sizes)] if options.sizes else ALL_SIZES:
        sizes = Sizes(*found)
        counts = [count for count in COUNTS if count <= min(THREADS, sizes.B)]
        rounds = [
            {count: measure(sizes, count, options.seconds) for count in counts}
            for _ in range(options.rounds)
        ]
        chosen = choose_workers("auto", sizes.B, sizes.H)
        for count in counts:
            speed_up = median(one[1][0] / one[count][0] for one in rounds)
            step = median(one[count][0] for one in rounds)
            waiting = median(one[count][1] for one in rounds)
            print(
                f"{sizes!s:<18} {count:>7} {-(-sizes.B // count):>6} {1e3 * step:>9.2f}"
                f" {speed_up:>9.2f} {waiting:>8.0%}{'  auto' * (count == chosen)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
