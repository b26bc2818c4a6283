"""Gradient clipping; the gradient is changed in place and the norms before it are told."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from charrnn.model.params import Params
from charrnn.window import Array


class Clipped(NamedTuple):
    """Euclidean norms before clipping, in all and per parameter, and whether anything changed."""

    norm: float
    norms: dict[str, float]
    clipped: bool


Clip = Callable[[Params], Clipped]


def gradient_norms(gradient: Params) -> tuple[float, dict[str, float]]:
    """The Euclidean norm of all entries together, and of each parameter's."""
    norms = {name: _norm(array) for name, array in gradient.named()}
    return float(np.hypot.reduce(list(norms.values()))), norms


def _norm(array: Array) -> float:
    flat = array.ravel()
    with np.errstate(over="ignore"):
        square = float(np.dot(flat, flat))  # one BLAS pass, no temporary
    if not 1e-30 < square < 1e30:  # near the ends of float32's range
        square = float(np.square(flat, dtype=np.float64).sum())
    return float(np.sqrt(square))


def clip_by_norm(threshold: float) -> Clip:
    """Scales the whole gradient where its norm passes the threshold.

    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1.
    """

    def clip(gradient: Params) -> Clipped:
        norm, norms = gradient_norms(gradient)
        clipped = threshold < norm < np.inf
        if clipped:
            for _, array in gradient.named():
                array *= threshold / norm
        return Clipped(norm, norms, clipped)

    return clip


def clip_by_value(threshold: float) -> Clip:
    """Bounds each entry by ± the threshold."""

    def clip(gradient: Params) -> Clipped:
        norm, norms = gradient_norms(gradient)
        clipped = False
        for _, array in gradient.named():
            clipped |= bool(np.abs(array).max(initial=0) > threshold)
            np.clip(array, -threshold, threshold, out=array)
        return Clipped(norm, norms, clipped)

    return clip


def no_clip(gradient: Params) -> Clipped:
    """Only measures."""
    return Clipped(*gradient_norms(gradient), clipped=False)


def make_clip(by: str, threshold: float) -> Clip:
    """The clipping of that name: norm, value or none."""
    clips = {
        "norm": clip_by_norm(threshold),
        "value": clip_by_value(threshold),
        "none": no_clip,
    }
    return clips[by]
