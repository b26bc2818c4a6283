"""Breaks down the time of one gradient by NumPy in a single thread.

python benchmarks/parts.py T B H A [L]
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from sides import Sizes, charrnn, windows

from charrnn.model import backend, bptt, output, recurrence, rnn

PARTS = {
    "forward": (bptt, "layer_states"),
    "  U h + b of upper layers": (rnn, "_term_from_below"),
    "logits": (output, "logits"),
    "loss and do": (output, "loss_and_logit_gradient"),
    "V' do": (output, "product_by_rows"),
    "U' da": (bptt, "product_by_rows"),
    "dV": (output, "sum_of_outer_products"),
    "dW, dU of upper layers": (bptt, "sum_of_outer_products"),
    "backward, with all but the first two": (bptt, "_backward"),
}


def main() -> None:
    """Prints milliseconds per gradient; the timing itself adds a little."""
    sizes = Sizes(*map(int, sys.argv[1:]))
    seconds: dict[str, float] = defaultdict(float)

    def time_calls(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            result = function(*arguments, **options)
            seconds[name] += time.perf_counter() - start
            return result

        return timed

    def time_product(function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            start = time.perf_counter()
            product = function(*arguments)
            seconds[f"  tiles of {arguments[-1]}"] += time.perf_counter() - start
            return time_calls(f"  products with {arguments[-1]}", product)

        return timed

    timed = time_calls("dU of the first layer", backend.NUMPY.input_gradient)
    backend.NUMPY = backend.NUMPY._replace(input_gradient=timed)
    side, window = charrnn(sizes, 1, compiled=False), windows(sizes)
    side.gradient(*window)
    seconds.clear()
    for name, (module, attribute) in PARTS.items():
        setattr(module, attribute, time_calls(name, getattr(module, attribute)))
    recurrence.product_with = time_product(recurrence.product_with)
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 2:
        side.gradient(*window)
        calls += 1
    total = time.perf_counter() - start
    print(f"gradient: {1e3 * total / calls:.2f} ms")
    for name, found in seconds.items():
        print(f"{name:<38} {1e3 * found / calls:>8.2f} ms  {found / total:>4.0%}")


if __name__ == "__main__":
    main()
