"""Worker process for one side: reads requests and writes answers, one JSON line each."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from sides import SIDES, WRITERS, Side, Sizes, charrnn, windows


def seconds_per_call(
    call: Callable[[], Any], seconds: float, agree: Callable[[int], int] = lambda calls: calls
) -> float:
    """The median time of the calls that fit into `seconds`, at least three.

    agree: Makes the number of calls the same in several processes that call together.
    """
    start = time.perf_counter()
    call()
    calls = agree(max(int(seconds / max(time.perf_counter() - start, 1e-9)), 3))
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


class Worker:
    """Holds one side at one size."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._side: Side | None = None

    def make(self, sizes: list[int]) -> dict[str, Any]:
        """Builds the side and returns its loss and gradient at the initial weights."""
        self._hold(SIDES[self._name], Sizes(*sizes))
        loss, gradient = self._side.gradient(*self._windows)
        self._side.step(*self._windows)
        # norms would miss a transposed or permuted gradient; random projections detect it
        probes = np.random.default_rng(3)
        found = {}
        for name, array in sorted(gradient.items()):
            probe = probes.standard_normal(array.shape).astype(np.float32)
            found[name] = [float(np.linalg.norm(array)), float(np.vdot(probe, array))]
        return {"loss": loss, "gradient": found}

    def step(self, seconds: float) -> float:
        """Seconds per update."""
        return seconds_per_call(lambda: self._side.step(*self._windows), seconds)

    def write(self, sizes: list[int], count: int) -> float:
        """Seconds per sampled character."""
        writer = WRITERS[self._name](Sizes(*sizes))
        writer(max(count // 10, sizes[1]))
        start = time.perf_counter()
        writer(count)
        return (time.perf_counter() - start) / count

    def grow(self, sizes: list[int], threads: int | None, seconds: float) -> float:
        """Seconds per update of charrnn with this number of threads."""
        self._hold(partial(charrnn, threads=threads), Sizes(*sizes))
        return self.step(seconds)

    def peak(self, size: int) -> float:
        """Single-precision operations per second of a large product on all cores."""
        one = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
        return 2 * size**3 / seconds_per_call(lambda: one @ one, 0.3)

    def read(self, size: int) -> float:
        """Seconds to read a file of `size` bytes and convert it to ids."""
        from charrnn.text.corpus import build_corpus
        from charrnn.text.reading import read_text

        words = np.random.default_rng(0).integers(97, 123, size, dtype=np.uint8)
        words[::6], words[59::60] = ord(" "), ord("\n")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "text.txt")
            Path(path).write_bytes(words.tobytes())
            start = time.perf_counter()
            build_corpus(read_text([path]).text, 0.1)
            return time.perf_counter() - start

    def _hold(self, make: Callable[[Sizes], Side], sizes: Sizes) -> None:
        if self._side:  # before the next side sets its own number of threads
            self._side.close()
        self._side, self._windows = make(sizes), windows(sizes)


def main() -> None:
    """Answers requests until stdin ends."""
    worker = Worker(sys.argv[1])
    answers, sys.stdout = sys.stdout, sys.stderr  # keeps output of libraries out of the answers
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        print(json.dumps(getattr(worker, what)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
