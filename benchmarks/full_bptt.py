"""Measures memory and time of one gradient through a whole text, with and without recomputation.

Each measurement runs in a separate process and prints its peak resident memory. The text is random:
neither memory nor time depends on its content.

    python benchmarks/full_bptt.py
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial
from statistics import median

import numpy as np

from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt, least_memory
from charrnn.model.initialization import initial_params
from charrnn.model.workspace import Workspace
from charrnn.text.stream import StreamWindows
from charrnn.training.parallel import parallel
from charrnn.training.workers import choose_workers, worker_threads


def measure(characters: int, lanes: int, hidden_size: int, memory: str, repeats: int) -> None:
    """Computes one gradient through a text `repeats` times and prints a JSON document."""
    alphabet_size = 65
    random = np.random.default_rng(1)
    ids = random.integers(0, alphabet_size, characters + 1).astype(np.int16)
    window = StreamWindows(ids, lanes, None)[0]
    params = initial_params(random, hidden_size, alphabet_size, dtype=np.float32)
    h0 = np.zeros((lanes, hidden_size), np.float32)
    segment = least_memory if memory == "recompute" else None

    def make() -> partial:
        return partial(bptt, activation=ACTIVATIONS["tanh"], workspace=Workspace(), segment=segment)

    seconds = []
    with worker_threads(choose_workers("auto", lanes, hidden_size)) as workers:
        objective = parallel(make, workers)
        for _ in range(repeats):
            start = time.perf_counter()
            loss, gradient, _ = objective(params, window, h0)
            seconds.append(time.perf_counter() - start)
    norm = float(np.sqrt(sum(float((array**2).sum()) for _, array in gradient.named())))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "loss": loss, "norm": norm}))


def measured(*arguments: object) -> dict:
    """The output of `measure` in a separate process."""
    command = [sys.executable, __file__, "--measure", *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Prints a line per size; the two forms alternate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--characters", type=int, default=1_100_000, help="length of the text")
    options = parser.parse_args()
    if options.measure:
        *sizes, memory, repeats = options.measure
        return measure(*map(int, sizes), memory, int(repeats))
    print(
        "characters  lanes  H    recompute s  plain s  ratio  recompute MB  plain MB  |loss, norm|"
    )
    short = options.characters // 10  # both forms fit in memory
    for characters, lanes, hidden_size, with_plain in (
        (short, 1, 256, True),
        (short, 16, 256, True),
        (short, 16, 512, True),
        (options.characters, 16, 256, True),
        (options.characters, 1, 256, False),
    ):
        forms: dict[str, list[dict]] = {"recompute": [], "plain": []}
        for _ in range(options.rounds if with_plain else 1):
            for form, found in forms.items():
                if form == "recompute" or with_plain:
                    found.append(measured(characters, lanes, hidden_size, form, 2))
        seconds = {
            form: median(min(run["seconds"]) for run in found)
            for form, found in forms.items()
            if found
        }
        one = forms["recompute"][0]
        line = f"{characters:>10,}  {lanes:>5}  {hidden_size:<4} {seconds['recompute']:>11.2f}"
        if with_plain:
            other = forms["plain"][0]
            ratio = seconds["recompute"] / seconds["plain"]
            differences = [abs(one[key] / other[key] - 1) for key in ("loss", "norm")]
            line += f"  {seconds['plain']:>7.2f}  {ratio:>5.2f}  {one['peak']:>12.0f}"
            line += f"  {other['peak']:>8.0f}  {max(differences):.0e}"
        else:
            line += f"  {'':>7}  {'':>5}  {one['peak']:>12.0f}"
        print(line, flush=True)
    return None


if __name__ == "__main__":
    main()
