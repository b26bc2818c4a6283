"""Gradient clipping in place."""

from collections.abc import Callable
from math import hypot, inf, sqrt
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.slicing import ForEachSlice, in_one_slice


class Clipped(NamedTuple):
    """What clipping found.

    Attributes:
        norm: Euclidean norm of the gradient before clipping.
        norms: The same of each parameter's gradient.
        clipped: Whether anything changed.
    """

    norm: float
    norms: dict[str, float]
    clipped: bool


Clip = Callable[[Params], Clipped]


def norms_of(
    params: Params, for_each_slice: ForEachSlice = in_one_slice
) -> tuple[float, dict[str, float]]:
    """Euclidean norms of all parameters together and of each one.

    Args:
        params: Parameters or a gradient.
        for_each_slice: Runs the work on slices of the flat array.

    Returns:
        The norm of all entries, and the norm of each parameter by name.
    """
    slices = params.layout.slices

    def squares(entries: slice, workspace: Workspace) -> list[float]:
        start, stop = entries.start, entries.stop
        with np.errstate(over="ignore"):  # once: it takes as long as the norm of a bias
            return [
                squared_norm(params.flat[max(own.start, start) : min(own.stop, stop)])
                for own in slices.values()
            ]

    squares_by_slice = for_each_slice(squares, params.size)
    norms = {name: sqrt(sum(s)) for name, *s in zip(slices, *squares_by_slice, strict=True)}
    return hypot(*norms.values()), norms


def squared_norm(entries: Array) -> float:
    """The sum of the squares of entries (N,), also where float32 has no number for them.

    Its caller has to ignore overflow.
    """
    square = float(entries.dot(entries))  # one BLAS pass, no temporary
    if not 1e-30 < square < 1e30:  # near the ends of float32's range
        square = float(np.square(entries, dtype=np.float64).sum())
    return square


def clip_by_norm(threshold: float, for_each_slice: ForEachSlice = in_one_slice) -> Clip:
    """Scales the gradient to a norm of at most the threshold.

    Args:
        threshold: The largest norm.
        for_each_slice: Runs the work on slices of the flat array.

    Returns:
        The clipping, which changes a gradient in place unless its norm is not finite.

    Reference:
        Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks",
        arXiv 1211.5063, algorithm 1.
    """

    def clip(gradient: Params) -> Clipped:
        norm, norms = norms_of(gradient, for_each_slice)
        clipped = threshold < norm < inf
        if clipped:
            factor = threshold / norm

            def scale(entries: slice, workspace: Workspace) -> None:
                np.multiply(gradient.flat[entries], factor, out=gradient.flat[entries])

            for_each_slice(scale, gradient.size)
        return Clipped(norm, norms, clipped)

    return clip


def clip_by_value(threshold: float, for_each_slice: ForEachSlice = in_one_slice) -> Clip:
    """Limits each entry of the gradient to ± the threshold.

    Args:
        threshold: The largest absolute value.
        for_each_slice: Runs the work on slices of the flat array.

    Returns:
        The clipping, which changes a gradient in place.
    """

    def clip(gradient: Params) -> Clipped:
        def limit(entries: slice, workspace: Workspace) -> bool:
            values = gradient.flat[entries]
            exceeds = float(max(values.max(initial=0), -values.min(initial=0))) > threshold
            if exceeds:  # a threshold beyond float32 limits nothing
                np.clip(values, -threshold, threshold, out=values)
            return exceeds

        norm, norms = norms_of(gradient, for_each_slice)
        return Clipped(norm, norms, any(for_each_slice(limit, gradient.size)))

    return clip


def no_clip(for_each_slice: ForEachSlice = in_one_slice) -> Clip:
    """Measures the norms and changes nothing."""
    return lambda gradient: Clipped(*norms_of(gradient, for_each_slice), clipped=False)


def make_clip(by: str, threshold: float, for_each_slice: ForEachSlice = in_one_slice) -> Clip:
    """Makes the clipping of that name.

    Args:
        by: "norm", "value" or "none".
        threshold: The largest norm or absolute value.
        for_each_slice: Runs the work on slices of the flat array.

    Returns:
        The clipping.
    """
    clips = {
        "norm": clip_by_norm(threshold, for_each_slice),
        "value": clip_by_value(threshold, for_each_slice),
        "none": no_clip(for_each_slice),
    }
    return clips[by]
