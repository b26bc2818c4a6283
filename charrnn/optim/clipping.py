"""Gradient clipping; the gradient is changed in place and the norms before it are told."""

from collections.abc import Callable
from math import hypot, inf, sqrt
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.shares import Share, whole


class Clipped(NamedTuple):
    """Euclidean norms before clipping, in all and per parameter, and whether anything changed."""

    norm: float
    norms: dict[str, float]
    clipped: bool


Clip = Callable[[Params], Clipped]


def norms_of(params: Params, share: Share = whole) -> tuple[float, dict[str, float]]:
    """The Euclidean norm of all entries together, and of each parameter's."""

    def squares(of: slice, workspace: Workspace) -> list[float]:
        return [
            _square(params.flat[max(own.start, of.start) : min(own.stop, of.stop)])
            for own in params.layout.slices.values()
        ]

    with np.errstate(over="ignore"):
        parts = share(squares, params.size)
    norms = {name: sqrt(sum(s)) for name, *s in zip(params.layout.slices, *parts, strict=True)}
    return hypot(*norms.values()), norms


def _square(entries: Array) -> float:
    square = float(entries.dot(entries))  # one BLAS pass, no temporary
    if not 1e-30 < square < 1e30:  # near the ends of float32's range
        square = float(np.square(entries, dtype=np.float64).sum())
    return square


def clip_by_norm(threshold: float, share: Share = whole) -> Clip:
    """Scales the whole gradient where its norm passes the threshold.

    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1.
    """

    def clip(gradient: Params) -> Clipped:
        norm, norms = norms_of(gradient, share)
        clipped = threshold < norm < inf
        if clipped:
            factor = threshold / norm
            share(
                lambda of, _: np.multiply(gradient.flat[of], factor, out=gradient.flat[of]),
                gradient.size,
            )
        return Clipped(norm, norms, clipped)

    return clip


def clip_by_value(threshold: float, share: Share = whole) -> Clip:
    """Bounds each entry by ± the threshold."""

    def bound(entries: Array) -> bool:
        beyond = max(entries.max(initial=0), -entries.min(initial=0)) > threshold
        np.clip(entries, -threshold, threshold, out=entries)
        return bool(beyond)

    def clip(gradient: Params) -> Clipped:
        norm, norms = norms_of(gradient, share)
        clipped = share(lambda of, _: bound(gradient.flat[of]), gradient.size)
        return Clipped(norm, norms, any(clipped))

    return clip


def no_clip(share: Share = whole) -> Clip:
    """Only measures."""
    return lambda gradient: Clipped(*norms_of(gradient, share), clipped=False)


def make_clip(by: str, threshold: float, share: Share = whole) -> Clip:
    """The clipping of that name: norm, value or none."""
    clips = {
        "norm": clip_by_norm(threshold, share),
        "value": clip_by_value(threshold, share),
        "none": no_clip(share),
    }
    return clips[by]
