"""What measuring the gradient flow of a model takes, before it is done."""

import time
from typing import NamedTuple

import numpy as np

from charrnn.analysis.gradflow import EXPONENT_COUNT
from charrnn.model.params import Params

PRODUCT_SIZE = 400  # of the matrices whose product is timed
DECOMPOSITION = 25  # times H³ multiplications: singular values and eigenvalues of an H × H matrix
THIN = 4  # times as long as a large product: one with a few columns


class FlowPlan(NamedTuple):
    """The expected duration in seconds and memory in bytes."""

    seconds: float
    memory: float


def plan_flow(
    params: Params, window: tuple[int, int], lags: int, truncation: bool, models: int = 1
) -> FlowPlan:
    """Estimates the cost of a measurement.

    Args:
        params: The model.
        window: T and B of the window.
        lags: The last lag.
        truncation: Whether truncated gradients are compared too.
        models: The number of models of this size that are compared.
    """
    T, B = window
    H, L, A = params.hidden_size, params.depth, params.alphabet_size
    steps, between_layers = T * B, L * H * H * (1 + (L > 1))
    products = lags * steps * between_layers  # dh of every loss, one step back at each lag
    products += THIN * EXPONENT_COUNT * steps * between_layers + DECOMPOSITION * L * H**3
    states, logits, weights = 8 * steps * L * H, 8 * steps * A, 8 * params.size
    memory = 8 * states + 1.5 * logits + weights + 4 * 8 * H * H
    if truncation:
        products += lags * steps * (2 * L * H * H + H * A)  # the gradient of each reach
        memory += 2 * (states + logits) + 5 * weights
    return FlowPlan(models * products * _seconds_per_multiplication(), memory)


def _seconds_per_multiplication() -> float:
    square = np.ones((PRODUCT_SIZE, PRODUCT_SIZE))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        square @ square
        seconds.append(time.perf_counter() - start)
    return min(seconds) / PRODUCT_SIZE**3
