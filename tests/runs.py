"""Helpers to train runs and compare them."""

from collections.abc import Callable, Iterable

import numpy as np
from safetensors.numpy import load_file

from charrnn.events import RunEnded
from charrnn.runs import train as runs_train
from charrnn.runs.start import Run
from charrnn.setup.plan_rule import Task
from charrnn.setup.wiring import batches_of, scored_ids, trainer_of
from charrnn.training.trainer import Trainer


class Listener:
    """A sink that calls a function and keeps its failed assertions."""

    def __init__(self, function: Callable[[object], object]) -> None:
        self.function = function
        self.failure: AssertionError | None = None

    def __call__(self, event: object) -> None:
        try:
            self.function(event)
        except AssertionError as failure:
            self.failure = failure

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def train(run: Run, sinks: Iterable) -> RunEnded:
    """Trains a run with sinks or plain functions."""
    sinks = [sink if hasattr(sink, "close") else Listener(sink) for sink in sinks]
    try:
        return runs_train.train(run, sinks)
    finally:
        for sink in sinks:
            if isinstance(sink, Listener) and sink.failure:
                raise sink.failure


def check_resume_and_workers(charrnn, arguments: list, cut: int, steps: int, single: list) -> None:
    """Resumed after `cut` steps: the same bits; with one worker and `single`: but for rounding."""
    double = ["--set", "training.precision=float64"]
    single = [*double, "--set", "training.workers=1", *single]
    assert charrnn(*arguments, "--max-steps", steps, "--out", "whole").code == 0
    assert charrnn(*arguments, "--max-steps", cut, "--out", "parts").code == 0
    assert charrnn("train", "--resume", "parts", "--max-steps", steps).code == 0
    assert charrnn(*arguments, *double, "--max-steps", 5, "--out", "double").code == 0
    assert charrnn(*arguments, *single, "--max-steps", 5, "--out", "single").code == 0
    whole, parts, one, two = (
        load_file(f"{run}/checkpoints/last.safetensors")
        for run in ("whole", "parts", "single", "double")
    )
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-6, atol=1e-9)


def trainer_for(config, corpus, workers, *clock, **options) -> Trainer:
    """The trainer for a corpus, with the windows of its config."""
    return trainer_of(
        config,
        batches_of(config, corpus.training),
        scored_ids(config, corpus),
        workers,
        *clock,
        **options,
    )


def plan_task(characters: int, alphabet_size: int = 65, **given: object) -> Task:
    """A text of this length, read as a stream in windows of 64, to plan a run for."""
    most = max((characters - 1) // 64, 1)
    return Task(characters, alphabet_size, lambda batch_size: 64 * batch_size, most, given)
