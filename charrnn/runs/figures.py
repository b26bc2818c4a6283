"""What the log of a run says about how it went, as numbers."""

from math import inf, isfinite

import numpy as np

from charrnn.config.settings import Config
from charrnn.events import Evaluated
from charrnn.results import RunFigures, RunLog
from charrnn.setup.run_log import steps_per_epoch
from charrnn.setup.wiring import budget_of
from charrnn.training.state import Progress

LARGEST = 1e15  # nats; more is shown as this


def figures_of(config: Config, log: RunLog) -> RunFigures | None:
    """The figures of a run by its log; None if no evaluation in it has a finite loss."""
    held_out = any(found.validation_nats_per_character is not None for found in log.evaluations)
    curve = [found for found in log.evaluations if isfinite(_loss(found, held_out))]
    if not curve:
        return None
    losses = [_loss(found, held_out) for found in curve]
    trained = _of_enough_steps(curve)
    training = _loss(trained[-1], False)
    best = curve[losses.index(min(losses))]
    baselines = log.baselines if held_out else None
    per_epoch = steps_per_epoch(log.steps[-1] if log.steps else None)
    progress, budget = _progress(log), budget_of(config, per_epoch or 0)
    return RunFigures(
        held_out=held_out,
        best=min(losses),
        best_step=best.step,
        last=losses[-1],
        training=training,
        training_since=_loss(best, False) - training,
        gained=_gained(curve, held_out),
        training_gained=_gained(trained, False),
        worst=max((step.nats_per_character for step in log.steps), default=None),
        ngram=baselines.ngram_nats_per_character if baselines else None,
        unigram=baselines.unigram_nats_per_character if baselines else None,
        uniform=log.baselines.uniform_nats_per_character if log.baselines else None,
        steps=progress.step,
        epochs=progress.step / per_epoch if per_epoch else None,
        rollbacks=log.steps[-1].rollbacks if log.steps else 0,
        used=budget.used(progress),
        complete=budget.complete(progress),
    )


def _loss(found: Evaluated, held_out: bool) -> float:
    value = found.validation_nats_per_character if held_out else found.train_nats_per_character
    return inf if value is None else min(value, LARGEST)


def _of_enough_steps(curve: list[Evaluated]) -> list[Evaluated]:
    """Without evaluations soon after another: their training loss is that of a few steps only."""
    steps = np.diff([0, *(min(found.step, LARGEST) for found in curve)])
    enough = steps >= np.median(steps) / 2
    return [found for found, keep in zip(curve, enough, strict=True) if keep]


def _gained(curve: list[Evaluated], held_out: bool) -> float:
    """How much a loss fell in the second half of a run, between evaluations interpolated."""
    steps = np.array([min(found.step, LARGEST) for found in curve], float)
    losses = np.array([_loss(found, held_out) for found in curve])
    return float(np.interp(steps[-1] / 2, steps, losses) - losses[-1])


def _progress(log: RunLog) -> Progress:
    """How far a run came. A step is logged now and then only, but the last one is evaluated."""
    step, seconds = max(
        *((event.step, event.seconds) for event in log.steps[-1:]),
        *((event.step, event.seconds) for event in log.evaluations[-1:]),
        (0, 0.0),
    )
    best = [number for number, found in enumerate(log.evaluations) if found.best]
    stale = len(log.evaluations) - 1 - best[-1] if best else 0
    return Progress(step=step, seconds=seconds if isfinite(seconds) else inf, stale=stale)
