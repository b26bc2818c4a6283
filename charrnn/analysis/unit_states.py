"""The states and predictions of a network on a long text, in order and in little memory."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy, softmax
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper, joint, logits, state_tolerance

MAX_STATES = 8_000_000  # entries of states that are held at a time
MAX_LOGITS = 1_000_000  # that are held at a time


class ReadText(NamedTuple):
    """A text as a network reads it.

    Attributes:
        params: The weights.
        activation: The activation f.
        ids: The text (N,).
        delimiter: The id that starts a sequence from the zero state, and precedes the text; None
            for a stream.
    """

    params: Params
    activation: Activation
    ids: Array
    delimiter: int | None = None

    @property
    def first(self) -> int:
        """The number of ids that are read before those of the text."""
        return 0 if self.delimiter is None else 1

    @property
    def read_ids(self) -> Array:
        """All ids that are read, (N,) or (N+1,)."""
        return self.ids if self.delimiter is None else np.insert(self.ids, 0, self.delimiter)

    @property
    def fresh(self) -> Array:
        """Before which of them the state is zero: the first of a stream, and each delimiter."""
        if self.delimiter is not None:
            starts: Array = self.read_ids == self.delimiter
            return starts
        first = np.zeros(len(self.ids), bool)
        first[:1] = True
        return first

    @property
    def steps(self) -> tuple[Array, Array, Array]:
        """The input ids (M,), the target ids (M,), and whether the state before each is zero (M,).

        Of a stream, M is N - 1: the first character is no target. Otherwise M is N.
        """
        ids = self.read_ids
        return ids[:-1], ids[1:], self.fresh[:-1]


def states_in_order(text: ReadText, **options: int) -> Iterator[Array]:
    """Computes the state after each character of a text.

    Args:
        text: The text.
        options: Those of `states_in_lanes`.

    Yields:
        The states (n, L·H) after the next n characters; not finite if they overflowed.
    """
    drop = text.first
    for states in states_in_lanes(text, **options):
        yield states[drop:]
        drop = 0


def states_in_lanes(
    text: ReadText, *, max_lanes: int = 32, steps: int = 1024, context: int = 256
) -> Iterator[Array]:
    """Computes the states of a text, and of the delimiter before it, in parallel stretches.

    The text is cut into lanes that run at once. Each starts from the state after the `context`
    characters before it, and is run again if that is not, up to rounding, the state in which the
    lane before it ends.

    Args:
        text: The text.
        max_lanes: The largest number of lanes.
        steps: The number of characters per lane.
        context: The number of characters to read before each lane, at most `steps`.

    Yields:
        The states (n, L·H) after the next n characters; not finite if they overflowed.
    """
    params, ids, fresh = text.params, text.read_ids, text.fresh
    steps = min(steps, len(ids))
    context = min(context, steps)
    fitting = MAX_STATES // (steps * params.state_size)
    lanes = max(min(max_lanes, fitting, -(-len(ids) // steps)), 1)
    size = lanes * steps
    stepper, single = (Stepper(params, text.activation, count) for count in (lanes, 1))
    held = np.empty((steps, lanes, params.state_size), params.dtype)
    last = np.zeros((params.depth, 1, params.hidden_size), params.dtype)
    for start in range(0, len(ids), size):
        count = min(size, len(ids) - start)
        x, resets = (
            np.pad(array[start : start + count], (0, size - count)).reshape(lanes, steps).T
            for array in (ids, fresh)
        )
        warm_up = slice(steps - context, steps)
        starts = _run(stepper, x[warm_up], resets[warm_up], np.zeros_like(stepper.h))
        starts = np.concatenate([last, starts[:, :-1]], axis=1)  # each warmed up by the one before
        ends = _run(stepper, x, resets, starts, held)
        tolerance = state_tolerance(ends)
        for lane in range(1, -(-count // steps)):
            one, before = slice(lane, lane + 1), ends[:, lane - 1 : lane]
            if not (np.abs(starts[:, lane] - before[:, 0]) <= tolerance).all():
                ends[:, one] = _run(single, x[:, one], resets[:, one], before, held[:, one])
        last = ends[:, -1:].copy()
        yield held.transpose(1, 0, 2).reshape(size, -1)[:count]


@np.errstate(over="ignore", invalid="ignore")  # states that overflow are the caller's to report
def _run(stepper: Stepper, x: Array, resets: Array, h: Array, out: Array | None = None) -> Array:
    """Runs lanes (T, B) from the states h (L, B, H) to their last ones; writes all to `out`."""
    stepper.h[...] = h
    any_reset = np.asarray(resets.any(axis=1)).tolist()
    for t, characters in enumerate(x):
        if any_reset[t]:
            stepper.h[:, resets[t]] = 0
        stepper(characters)
        if out is not None:
            out[t] = joint(stepper.h)
    return stepper.h.copy()


def logits_in_order(text: ReadText, max_logits: int = MAX_LOGITS) -> Iterator[Array]:
    """Computes the logits after each character of a text, and after the delimiter before it.

    Args:
        text: The text.
        max_logits: The largest number of logits to hold at a time.

    Yields:
        The logits (n, A) after the next n characters; not finite if the states overflowed.
    """
    rows = max(max_logits // text.params.alphabet_size, 1)
    for states in states_in_lanes(text):
        for start in range(0, len(states), rows):
            with np.errstate(over="ignore", invalid="ignore"):
                o = logits(text.params, states[start : start + rows])
            yield o


@np.errstate(over="ignore", invalid="ignore")
def predictions(text: ReadText) -> tuple[Array, Array]:
    """How uncertain a model is after each character of a text, and how much each surprised it.

    Args:
        text: The text.

    Returns:
        The entropy of the prediction after each character (N,), and the surprisal -ln p of each
        (N,), in nats; the first of a stream, which is not predicted, has the mean of the others.
        Not finite if the states overflowed.
    """
    ids = text.read_ids
    following = np.roll(ids, -1).astype(np.int64)
    entropy, surprisal = np.empty((2, len(ids)))
    position = 0
    for o in logits_in_order(text):
        part = slice(position, position := position + len(o))
        p = softmax(o)
        entropy[part] = -(p * np.log(np.maximum(p, np.finfo(p.dtype).tiny))).sum(axis=-1)
        surprisal[part] = cross_entropy(o, following[part])
    if text.delimiter is None:
        surprisal[-1] = surprisal[:-1].mean() if len(ids) > 1 else 0
        return entropy, np.roll(surprisal, 1)
    return entropy[1:], surprisal[:-1]
