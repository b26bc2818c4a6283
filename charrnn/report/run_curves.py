"""The curves of runs as arrays: over steps, epochs, characters or seconds, and over seeds."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.events import LagProfile
from charrnn.results import RunGroup, RunHistory

Axis = Literal["steps", "epochs", "characters", "seconds"]
AXES: tuple[Axis, ...] = ("steps", "epochs", "characters", "seconds")
What = Literal["loss", "gradient", "learning-rate", "lag-profile"]
WHATS: tuple[What, ...] = ("loss", "gradient", "learning-rate", "lag-profile")
FIELDS = {"steps": "step", "epochs": "epoch", "characters": "characters", "seconds": "seconds"}
LARGEST = 1e30  # of what is shown; larger values are shown as this


class Points(NamedTuple):
    """The points of a curve (n,), in the order of x."""

    x: Array
    y: Array


class Spread(NamedTuple):
    """The mean of curves (n,), and the smallest and largest value at each x."""

    x: Array
    y: Array
    low: Array
    high: Array


def step_curve(run: RunHistory, quantity: str, axis: Axis) -> Points:
    """What was logged at each step.

    Args:
        run: The run.
        quantity: A field of Stepped.
        axis: What x is.
    """
    steps = run.log.steps
    x = np.array([getattr(step, FIELDS[axis]) for step in steps], np.float64)
    return _clean(x, np.array([getattr(step, quantity) for step in steps], np.float64))


def validation_curve(run: RunHistory, axis: Axis) -> Points:
    """The validation loss at each evaluation, in nats per character."""
    scored = [one for one in run.log.evaluations if one.validation_nats_per_character is not None]
    y = np.array([one.validation_nats_per_character for one in scored], np.float64)
    if axis == "seconds":
        return _clean(np.array([one.seconds for one in scored], np.float64), y)
    return _clean(along(run, np.array([one.step for one in scored], np.float64), axis), y)


def clipped_curve(run: RunHistory, axis: Axis, bins: int) -> Points:
    """The share of clipped steps in each part of a run, from the shares of all steps so far."""
    steps = step_curve(run, "clipped_share", "steps")
    if not len(steps.x):
        return steps
    ends = np.unique(np.linspace(0, len(steps.x) - 1, bins + 1).round().astype(int))
    made = np.concatenate([[0], steps.x[ends]])
    clipped = np.concatenate([[0], (steps.x * steps.y)[ends]])
    lengths = np.diff(made)
    shares = np.clip(np.diff(clipped)[lengths > 0] / lengths[lengths > 0], 0, 1)
    return _clean(along(run, made[1:][lengths > 0], axis), shares)


def along(run: RunHistory, steps: Array, axis: Axis) -> Array:
    """Where steps are on an axis, between and after the steps that were logged."""
    if axis == "steps":
        return steps
    known = step_curve(run, FIELDS[axis], "steps")
    if not len(known.x):
        return np.full(len(steps), np.nan)
    inside = np.interp(steps, np.append(0, known.x), np.append(0, known.y))
    beyond = known.y[-1] / max(known.x[-1], 1) * steps
    placed: Array = np.where(steps > known.x[-1], beyond, inside)
    return placed


def smoothed(points: Points, bins: int) -> Points:
    """The means of as many parts of a curve of as many points each; all points if there are few."""
    if len(points.x) <= bins:
        return points
    edges = np.linspace(0, len(points.x), bins + 1).round().astype(int)[:-1]
    counts = np.diff(np.append(edges, len(points.x)))
    return Points(
        *(np.add.reduceat(values / np.repeat(counts, counts), edges) for values in points)
    )


def spread(curves: Sequence[Points]) -> Spread:
    """The mean and range of curves where all are defined; between their points they are straight.

    Args:
        curves: At least one; those without points are left out.
    """
    curves = [curve for curve in curves if len(curve.x)]
    if not curves:
        return Spread(*np.zeros((4, 0)))
    grid = np.unique(np.concatenate([curve.x for curve in curves]))
    grid = grid[grid >= max(curve.x[0] for curve in curves)]
    grid = grid[grid <= min(curve.x[-1] for curve in curves)]
    values = np.array([np.interp(grid, *curve) for curve in curves])
    return Spread(grid, values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def lag_matrix(run: RunHistory, layer: int | None) -> tuple[list[LagProfile], Array]:
    """The lag profiles of a layer, and their norms relative to lag 0 (lags, profiles)."""
    profiles = [one for one in run.log.lag_profiles if one.layer == layer and one.norms]
    lags = max((len(one.norms) for one in profiles), default=0)
    matrix = np.full((lags, len(profiles)), np.nan)
    for column, profile in enumerate(profiles):
        norms = np.array(profile.norms)
        if 0 < norms[0] < LARGEST:
            with np.errstate(over="ignore", invalid="ignore"):
                matrix[: len(norms), column] = norms / norms[0]
    matrix[~((matrix >= 0) & (matrix <= LARGEST))] = np.nan
    return profiles, matrix


def layers_of(run: RunHistory) -> list[int | None]:
    """The layers of which there are lag profiles; None for the only one."""
    return sorted({one.layer for one in run.log.lag_profiles}, key=lambda layer: layer or 0)


def baselines_of(groups: Sequence[RunGroup], field: str) -> list[tuple[str, float]]:
    """The distinct values of a baseline, each with the group that has it first."""
    found: dict[float, str] = {}
    for group in groups:
        for run in group.runs:
            value = getattr(run.log.baselines, field, None)
            if value is not None and np.isfinite(value) and 0 < value < LARGEST:
                found.setdefault(round(value, 6), group.label)
    return [(label, value) for value, label in found.items()]


def clip_thresholds(groups: Sequence[RunGroup]) -> list[float]:
    """The distinct norms above which gradients were clipped, where they were clipped by norm."""
    clips = [run.config["training"]["clip"] for group in groups for run in group.runs if run.config]
    return sorted({float(clip["threshold"]) for clip in clips if clip["by"] == "norm"})


def _clean(x: Array, y: Array) -> Points:
    """The finite points in the order of x, one for each x."""
    shown = np.isfinite(x) & np.isfinite(y) & (np.abs(np.nan_to_num(x)) <= LARGEST)
    x, first = np.unique(x[shown], return_index=True)
    return Points(x, np.clip(y[shown][first], -LARGEST, LARGEST))
