"""How fast this machine multiplies, from which the time of an analysis is estimated."""

import time

import numpy as np

NOTED_SECONDS = 5.0  # an analysis that takes longer says so in advance
PRODUCT_SIZE = 400  # of the matrices whose product is timed


def seconds_per_multiplication() -> float:
    """The time of a multiplication and an addition in a large product of matrices."""
    square = np.ones((PRODUCT_SIZE, PRODUCT_SIZE))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        square @ square
        seconds.append(time.perf_counter() - start)
    return min(seconds) / PRODUCT_SIZE**3
