"""How well a model predicts a text."""

from collections.abc import Iterable
from math import exp, inf, nan
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.model.workspace import Workspace
from charrnn.training.parallel import Crew, portion
from charrnn.units import BITS_PER_NAT
from charrnn.window import Window

LANES = 64  # of a long stream
CLOSE = 256  # roundings: states no further apart are the same


class Score(NamedTuple):
    """The summed loss of a text in nats, and the number of characters that were predicted."""

    nats: float
    characters: int

    @property
    def nats_per_character(self) -> float:
        """The mean loss."""
        return self.nats / self.characters

    @property
    def bits_per_character(self) -> float:
        """The mean loss in bits."""
        return self.nats_per_character * BITS_PER_NAT

    @property
    def perplexity(self) -> float:
        """The number of equally likely characters that would be as hard to predict."""
        return exp(self.nats_per_character) if self.nats_per_character < 700 else inf


class Scorer:
    """Scores windows with the workers of a crew; each target counts from the zero state on.

    A long stream is cut into `lanes` that run at once. Each begins with the state that `context`
    characters before it leave behind. Where that is not the state in which the lane before it
    ends, to rounding, the network remembers more, and the lane is run once more from there: the
    score is that of one uninterrupted stream, up to what the network makes of rounding.
    """

    def __init__(
        self,
        activation: Activation,
        crew: Crew,
        *,
        lanes: int = LANES,
        context: int = 256,
        most: int = 2_000_000,
    ) -> None:
        """`most`: entries of states, or of logits, that a worker holds at a time."""
        self._activation = activation
        self._crew = crew
        self._lanes, self._context, self._most = lanes, context, most
        self._workspaces = [Workspace() for _ in range(crew.workers)]

    def __call__(self, params: Params, windows: Iterable[Window]) -> Score:
        """The score of all the windows."""
        nats, characters = 0.0, 0
        for window in windows:
            T, B = window.x.shape
            zero = np.zeros((B, params.hidden_size), params.W.dtype)
            steps = T // min(self._lanes, T // (4 * self._context) or 1) if B == 1 else T
            if steps == T:
                nats += self._share(params, window.x, window.y, zero)[0].sum()
            else:
                nats += self._stream(params, window, zero, steps)
            characters += window.targets
        return Score(float(nats), characters)

    def _stream(self, params: Params, window: Window, zero: Array, steps: int) -> float:
        """The nats of one lane, in several of so many steps; what is left over comes after them."""
        whole = len(window.x) // steps * steps
        x, y = (ids[:whole, 0].reshape(-1, steps).T for ids in (window.x, window.y))
        starts = np.repeat(zero, x.shape[1], axis=0)
        warm_up = x[-self._context :, :-1]
        starts[1:] = self._share(params, warm_up, None, starts[1:])[1]
        nats, ends = self._share(params, x, y, starts)
        # each unit is measured by its own size: a small one may say as much as a large one
        close = CLOSE * np.finfo(starts.dtype).eps * np.abs(ends).max(axis=0)
        for lane in range(1, x.shape[1]):
            before = ends[lane - 1 : lane]
            if not np.isfinite(before).all():
                return nan
            if (np.abs(starts[lane] - before) > close).any():
                own = slice(lane, lane + 1)
                nats[own], ends[own] = self._run(params, x[:, own], y[:, own], before, 0)
        rest, _ = self._run(params, window.x[whole:], window.y[whole:], ends[-1:], 0)
        return float(nats.sum() + rest.sum())

    def _share(self, params: Params, x: Array, y: Array | None, h: Array) -> tuple[Array, Array]:
        """The nats (B,) and last states (B, H) of independent lanes, each worker with its own."""
        count = min(self._crew.workers, len(h))

        def part(worker: int) -> tuple[Array, Array]:
            own = portion(worker, count, len(h))
            return self._run(params, x[:, own], None if y is None else y[:, own], h[own], worker)

        nats, states = zip(*self._crew.each(part, count), strict=True)
        return np.concatenate(nats), np.concatenate(states)

    def _run(
        self, params: Params, x: Array, y: Array | None, h: Array, worker: int
    ) -> tuple[Array, Array]:
        """The nats (B,) of lanes from states h, and their last states; without y only these."""
        workspace, nats = self._workspaces[worker], np.zeros(len(h))
        most = self._most // max(params.hidden_size, params.alphabet_size)
        stretch = max(most // len(h), 1)
        for start in range(0, len(x), stretch):
            piece = slice(start, start + stretch)
            with np.errstate(over="ignore", invalid="ignore"):  # the score tells
                h_all = states(params, x[piece], h, self._activation, workspace)
                if y is not None:
                    losses = cross_entropy(logits(params, h_all[1:], workspace), y[piece])
                    nats += losses.sum(axis=0, dtype=np.float64)
            h = h_all[-1].copy()
        return nats, h
