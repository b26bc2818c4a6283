"""Dynamic evaluation: a model that keeps learning from the text that it is scored on."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.bptt import bptt
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import Clip
from charrnn.training.evaluation import Score
from charrnn.window import Window, signed


def dynamic_score(
    params: Params,
    x: Array,
    y: Array,
    fresh: Array,
    activation: Activation,
    *,
    rate: float,
    segment: int,
    clip: Clip,
) -> Score:
    """Scores a text segment by segment, with a step of gradient descent after each.

    A segment is scored before its step, so no character is predicted by a model that has seen it.
    The step goes down the clipped gradient of the segment's mean loss, which ends at the start of
    the segment; the weights do not decay towards the trained ones. The state is carried on.

    Args:
        params: The weights, which stay as they are.
        x: Input ids (N,).
        y: Target ids (N,).
        fresh: Whether the state before each input is zero (N,); a segment never spans such a start.
        activation: The activation f.
        rate: The learning rate of the steps; with 0 this is the ordinary score.
        segment: The largest number of characters per segment.
        clip: Clips the gradients.

    Returns:
        The score; its loss is not finite if a step or a state overflowed.

    Reference:
        Krause, Kahembwe, Murray & Renals 2018, Dynamic evaluation of neural sequence models,
        arXiv 1709.07432; theirs adds RMS scaling and decay.
    """
    params, workspace = params.astype(params.dtype), Workspace()
    h = np.zeros((1, params.state_size), params.dtype)
    nats = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start, end in _segments(fresh, segment):
            if fresh[start]:
                h[...] = 0
            steps = slice(start, end)
            window = Window(x[steps, None], signed(y[steps, None]), fresh[start : start + 1])
            loss, gradient, carried = bptt(params, window, h, activation, workspace=workspace)
            nats += loss * (end - start)
            if not np.isfinite(nats):
                break
            h[...] = carried
            clip(gradient)
            params.flat -= params.dtype.type(rate) * gradient.flat
    return Score(nats, len(y))


def _segments(fresh: Array, length: int) -> Iterator[tuple[int, int]]:
    """The starts and ends of segments of at most this length, none across a fresh start."""
    bounds = [0, *(np.flatnonzero(fresh[1:]) + 1).tolist(), len(fresh)]
    for begin, end in pairwise(bounds):
        for start in range(begin, end, length):
            yield start, min(start + length, end)
