"""Compares the compiled recurrence with NumPy's for few lanes, in one thread.

A measurement is the recurrence of one layer, forward and backward over 25 steps, as a gradient runs
it. Both forms take turns; a ratio is the median over the rounds. `model/compiled.py::pays` is the
rule that follows from it.

    OMP_NUM_THREADS=1 python benchmarks/lanes.py [--dtype float64] [--activation relu]
"""

import argparse
import time
from statistics import median

import numpy as np

from charrnn.model.activations import ACTIVATIONS, Activation
from charrnn.model.backend import NUMPY, Backend
from charrnn.model.compiled import compiled_backend, pays
from charrnn.model.workspace import Workspace

STEPS = 25
UNITS = (16, 32, 64, 100, 128, 192, 256, 384, 512, 768, 1024)
LANES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)


def seconds(
    backend: Backend, W: np.ndarray, a: np.ndarray, dh: np.ndarray, activation: Activation
) -> float:
    """The time of one layer's steps, forward and backward."""
    lanes, workspace = a.shape[1], Workspace()
    h, da, slopes = a.copy(), dh.copy(), np.empty_like(dh)
    times = []
    for _ in range(3):
        h[...], da[...] = a, dh
        start = time.perf_counter()
        backend.prepare_forward(W, activation, lanes, workspace)(h[0], h[1:])
        middle = time.perf_counter()
        activation.slope(h[1:], slopes)
        before = time.perf_counter()
        backend.backward(W, da, slopes, None, workspace)
        times.append(middle - start + time.perf_counter() - before)
    return min(times)


def main() -> None:
    """Prints NumPy's time over the compiled one for each number of units and lanes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--activation", default="tanh", choices=list(ACTIVATIONS))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--units", type=int, nargs="*", default=UNITS)
    parser.add_argument("--lanes", type=int, nargs="*", default=LANES)
    options = parser.parse_args()
    activation, dtype = ACTIVATIONS[options.activation], np.dtype(options.dtype)
    compiled = compiled_backend(always=True)
    print("* where the rule chooses the compiled form\n")
    print("    H | " + " | ".join(f"{lanes:>6}" for lanes in options.lanes))
    for H in options.units:
        line = []
        for lanes in options.lanes:
            random = np.random.default_rng(0)
            W = (random.standard_normal((H, H)) / np.sqrt(H)).astype(dtype)
            a = (random.standard_normal((STEPS + 1, lanes, H)) / 2).astype(dtype)
            dh = random.standard_normal((STEPS, lanes, H)).astype(dtype)
            ratio = median(
                seconds(NUMPY, W, a, dh, activation) / seconds(compiled, W, a, dh, activation)
                for _ in range(options.rounds)
            )
            line.append(f"{ratio:5.2f}{'*' if pays(H, lanes, dtype) else ' '}")
        print(f"{H:>5} | " + " | ".join(line), flush=True)


if __name__ == "__main__":
    main()
