"""Compares the speed of charrnn, PyTorch and JAX on identical work; writes docs/performance.md.

    python benchmarks/performance.py

Each side runs in a separate process and they take turns, so that other load on the machine affects
all of them. Before timing, loss and gradient are checked to agree.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from page import MARKS, picture, update

DOCS = Path(__file__).parent.parent / "docs"
OURS, PEERS = "charrnn", ("PyTorch nn.RNN", "PyTorch loop", "torch.compile", "JAX scan")
SAMPLING_PEER = "PyTorch nn.RNN"  # the only peer with a sampling loop
Sizes = tuple[int, ...]  # T, B, H, A; L if it is not 1


class Plan(NamedTuple):
    """What to measure, and for how long.

    growth: for each of T, B, H and A, the sizes that vary it around `middle`. writing: H and A of
    the sampled model, number of characters, number of texts at once. reading: bytes. seconds: per
    measurement. peak: rows of the large matrix product.
    """

    sizes: list[Sizes]
    peers: tuple[str, ...]
    growth: dict[str, list[Sizes]]
    rounds: int
    seconds: float
    peak: int
    writing: tuple[int, int, int, int]
    reading: int
    middle: Sizes


MIDDLE = (64, 32, 256, 65)


def around(index: int, values: tuple[int, ...]) -> list[Sizes]:
    """The middle sizes with the one at `index` varied."""
    return [(*MIDDLE[:index], value, *MIDDLE[index + 1 :]) for value in values]


FULL = Plan(
    sizes=[
        (25, 1, 100, 65),
        (50, 50, 128, 65),
        (64, 32, 256, 65),
        (64, 64, 512, 65),
        (128, 64, 512, 96),
        (64, 64, 1024, 65),
        (64, 32, 256, 5000),
        (64, 32, 256, 65, 2),
        (64, 32, 512, 65, 2),
    ],
    peers=PEERS,
    growth={
        "T": around(0, (8, 16, 32, 64, 128, 256)),
        "B": around(1, (1, 2, 4, 8, 16, 32, 64, 128)),
        "H": around(2, (32, 64, 128, 256, 512, 1024)),
        "A": around(3, (16, 64, 256, 1024, 4096)),
    },
    rounds=5,
    seconds=0.5,
    peak=2048,
    writing=(512, 65, 3000, 16),
    reading=100_000_000,
    middle=MIDDLE,
)
SMOKE = Plan(
    sizes=[(4, 3, 8, 7), (4, 3, 8, 7, 2)],
    peers=(),
    growth={"T": [(4, 3, 8, 7), (5, 3, 8, 7)], "H": [(4, 3, 8, 7)]},
    rounds=2,
    seconds=0.0,
    peak=64,
    writing=(8, 7, 20, 4),
    reading=10_000,
    middle=(4, 3, 8, 7),
)


class Process:
    """A worker process that answers requests."""

    def __init__(self, name: str) -> None:
        command = [sys.executable, str(Path(__file__).parent / "worker.py"), name]
        self._name = name
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, what: str, *arguments: Any) -> Any:
        """The answer to a request; raises SystemExit if the worker failed."""
        print(json.dumps([what, *arguments]), file=self._child.stdin, flush=True)
        answer = self._child.stdout.readline()
        if not answer:
            raise SystemExit(f"{self._name} failed at {what} {arguments}")
        return json.loads(answer)

    def end(self) -> None:
        """Ends the process."""
        self._child.stdin.close()
        self._child.wait()


def check(found: dict[str, dict[str, Any]], sizes: Sizes) -> None:
    """Raises SystemExit if a side disagrees with charrnn on loss or gradient."""
    ours = found[OURS]
    for name, theirs in found.items():
        wrong = [] if close(ours["loss"], theirs["loss"], ours["loss"]) else ["loss"]
        for parameter, (norm, probe) in ours["gradient"].items():
            their_norm, their_probe = theirs["gradient"][parameter]
            if not (close(norm, their_norm, norm) and close(probe, their_probe, norm)):
                wrong.append(parameter)
        if wrong:
            raise SystemExit(f"{name} differs at {sizes} in {', '.join(wrong)}: {ours}, {theirs}")


def close(one: float, other: float, scale: float) -> bool:
    """Whether two numbers are equal up to single-precision rounding."""
    return abs(one - other) <= 1e-3 * abs(scale)


def measure(plan: Plan) -> dict[str, Any]:
    """Measures everything that the page shows; times in seconds."""
    sides = {name: Process(name) for name in (OURS, *plan.peers)}
    ours = sides[OURS]
    alone = Process("")  # measures the peak: the sides limit their threads
    try:
        steps = [measured_step(sides, alone, sizes, plan) for sizes in plan.sizes]
        hidden_size, alphabet, count, texts = plan.writing
        writing: dict[str, list[float]] = {}
        for _ in range(plan.rounds):
            for name in (OURS, SAMPLING_PEER):
                if name in sides:
                    found = sides[name].ask("write", (1, 1, hidden_size, alphabet), count)
                    writing.setdefault(name, []).append(found)
            at_once = ours.ask("write", (1, texts, hidden_size, alphabet), count)
            writing.setdefault("at once", []).append(at_once)
        growth = {
            name: [(sizes, ours.ask("grow", sizes, None, plan.seconds)) for sizes in all_sizes]
            for name, all_sizes in plan.growth.items()
        }
        workers = {
            number: ours.ask("grow", plan.middle, number, plan.seconds)
            for number in range(1, (os.cpu_count() or 1) + 1)
        }
        reading = [plan.reading / ours.ask("read", plan.reading) for _ in range(3)]
    finally:
        for side in (alone, *sides.values()):
            side.end()
    return {
        "steps": steps,
        "writing": writing,
        "growth": growth,
        "workers": workers,
        "reading": median(reading),
    }


def measured_step(
    sides: dict[str, Process], alone: Process, sizes: Sizes, plan: Plan
) -> dict[str, Any]:
    """Measures the step time of each side and the peak of the matrix product, in rounds."""
    check({name: side.ask("make", sizes) for name, side in sides.items()}, sizes)
    times: dict[str, list[float]] = {name: [] for name in sides}
    peak = []
    for _ in range(plan.rounds):
        peak.append(alone.ask("peak", plan.peak))
        for name, side in sides.items():
            times[name].append(side.ask("step", plan.seconds))
    print(
        sizes, {name: f"{1e3 * median(found):.2f} ms" for name, found in times.items()}, flush=True
    )
    return {"sizes": sizes, "times": times, "peak": peak}


def main() -> None:
    """Measures, then writes the page and its plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, charrnn only")
    parser.add_argument("--out", type=Path, default=DOCS, help="output directory")
    parser.add_argument("--sides", help="comma-separated peers to measure")
    parser.add_argument("--only", type=int, help="index of the only size to measure")
    options = parser.parse_args()
    plan = SMOKE if options.smoke else FULL
    if options.sides is not None:
        plan = plan._replace(peers=tuple(filter(None, options.sides.split(","))))
    if options.only is not None:
        plan = plan._replace(sizes=[plan.sizes[options.only]])
    if plan is not FULL and options.out == DOCS:
        parser.error("partial measurements must not replace the page: set --out")
    page = options.out / "performance.md"
    if page.exists() and not all(mark in page.read_text(encoding="utf-8") for mark in MARKS):
        parser.error(f"{page} does not contain both marks {MARKS}")
    result = measure(plan)
    update(page, result, plan, OURS)
    picture(options.out / "performance.png", result["growth"])


if __name__ == "__main__":
    main()
