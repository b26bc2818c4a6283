"""Scoring with its own worker threads."""

from collections.abc import Iterable
from typing import Any

from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.training.evaluation import Score, Scorer
from charrnn.training.workers import worker_threads
from charrnn.window import Window


def evaluate(
    params: Params,
    windows: Iterable[Window],
    activation: Activation,
    workers: int = 1,
    **choices: Any,
) -> Score:
    with worker_threads(workers) as threads:
        return Scorer(activation, threads, **choices)(params, windows)
