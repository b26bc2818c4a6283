"""Predicts what several hosts make of a training step, from times that are measured on one.

A host takes the time of a step with its share of the lanes, measured here with all threads. Then
the gradients are added: in 2 log2(n) messages each host sends and receives 2 (n - 1) / n times
their bytes. Two short messages precede them and the update.

    python benchmarks/hosts.py --gigabits 1 --microseconds 50
"""

import argparse
import sys
from math import log2
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ranks import ALL_SIZES, seconds_of_step
from sides import Sizes

from charrnn.setup.plan_grid import weights_of
from charrnn.training.workers import choose_workers

HOSTS = (1, 2, 4, 8, 16, 32)


def seconds_of_messages(hosts: int, size: int, bandwidth: float, latency: float) -> float:
    """The time of the messages of a step, of which one adds `size` bytes over all hosts.

    bandwidth: bytes per second of a host, in each direction. latency: seconds of a message.
    """
    return 4 * log2(hosts) * latency + 2 * (hosts - 1) / hosts * size / bandwidth


def main() -> None:
    """Prints a line for each size and number of hosts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=5, metavar=tuple("TBHAL"), help="only this size")
    parser.add_argument("--gigabits", type=float, nargs="+", default=[1.0, 10.0], help="per second")
    parser.add_argument("--microseconds", type=float, default=50.0, help="for a short message")
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    options = parser.parse_args()
    latency = options.microseconds * 1e-6
    heads = (f"messages  speed-up at {gigabits:g} Gbit/s" for gigabits in options.gigabits)
    print("T, B, H, A              hosts  lanes  computing  ", "  ".join(heads))
    for found in [tuple(options.sizes)] if options.sizes else ALL_SIZES:
        sizes, alone = Sizes(*found), 0.0
        size = 4 * weights_of(sizes.L, sizes.H, sizes.A)
        for hosts in HOSTS:
            if hosts > sizes.B:
                break
            own = sizes._replace(B=sizes.B // hosts)
            workers = choose_workers("auto", own.B, own.H)
            computing = seconds_of_step(own, workers, None, options.seconds)
            alone = alone or computing
            line = f"{sizes!s:<24}{hosts:>5}{own.B:>7}{1e3 * computing:>8.2f} ms"
            for gigabits in options.gigabits:
                messages = seconds_of_messages(hosts, size, gigabits * 1e9 / 8, latency)
                speed_up = alone / (computing + messages)
                line += (
                    f"{1e3 * messages:>9.2f} ms{speed_up:>6.2f}, {speed_up / hosts:>4.0%} of them"
                )
            print(line, flush=True)


if __name__ == "__main__":
    main()
