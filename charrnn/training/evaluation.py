"""Scoring: how well a model predicts a text."""

from collections.abc import Iterable
from math import exp, inf, nan
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.loss import cross_entropy
from charrnn.model.params import Params
from charrnn.model.rnn import logits, state_tolerance, states
from charrnn.model.workspace import Workspace
from charrnn.system.shares import split
from charrnn.training.workers import Workers
from charrnn.units import BITS_PER_NAT
from charrnn.window import Window

SCORING_LANES = 64  # lanes per long stream


class Score(NamedTuple):
    """Summed loss of a text in nats, and the number of characters that were predicted."""

    nats: float
    characters: int

    @property
    def nats_per_character(self) -> float:
        """Mean loss in nats."""
        return self.nats / self.characters

    @property
    def bits_per_character(self) -> float:
        """Mean loss in bits."""
        return self.nats_per_character * BITS_PER_NAT

    @property
    def perplexity(self) -> float:
        """Number of equally likely characters that would be as hard to predict."""
        return exp(self.nats_per_character) if self.nats_per_character < 700 else inf


class Scorer:
    """Scores windows, each from the zero state.

    A long stream is cut into lanes that run at once. Each starts from the state after the `context`
    characters before it. If that is not, up to rounding, the state in which the previous lane ends,
    the network remembers more than these characters, and the lane is run again from there. So the
    score is that of one uninterrupted stream, up to how the network amplifies rounding.

    Args:
        activation: The activation f.
        workers: The threads to use.
        lanes: Number of lanes of a long stream.
        context: Number of characters to read before each lane.
        max_entries: Entries of states, or of logits, that a thread holds at a time.
    """

    def __init__(
        self,
        activation: Activation,
        workers: Workers,
        *,
        lanes: int = SCORING_LANES,
        context: int = 256,
        max_entries: int = 2_000_000,
    ) -> None:
        self._activation = activation
        self._workers = workers
        self._lanes, self._context, self._max_entries = lanes, context, max_entries
        self._workspaces = [Workspace() for _ in range(workers.count)]

    def __call__(self, params: Params, windows: Iterable[Window]) -> Score:
        """Scores all windows together; the loss is not finite if a state overflowed."""
        nats, characters = 0.0, 0
        for window in windows:
            T, B = window.x.shape
            zero = np.zeros((B, params.state_size), params.dtype)
            steps = T // min(self._lanes, T // (4 * self._context) or 1) if B == 1 else T
            if steps == T:
                nats += self._run_lanes(params, window.x, window.y, zero)[0].sum()
            else:
                nats += self._stream(params, window, zero, steps)
            characters += window.targets
        return Score(float(nats), characters)

    def _stream(self, params: Params, window: Window, zero: Array, steps: int) -> float:
        """The nats of one stream, cut into lanes of so many steps and a shorter rest."""
        cut = len(window.x) // steps * steps
        x, y = (ids[:cut, 0].reshape(-1, steps).T for ids in (window.x, window.y))
        starts = np.repeat(zero, x.shape[1], axis=0)
        warm_up = x[-self._context :, :-1]
        starts[1:] = self._run_lanes(params, warm_up, None, starts[1:])[1]
        nats, ends = self._run_lanes(params, x, y, starts)
        tolerance = state_tolerance(ends)
        for lane in range(1, x.shape[1]):
            before = ends[lane - 1 : lane]
            if not np.isfinite(before).all():
                return nan
            if (np.abs(starts[lane] - before) > tolerance).any():
                one = slice(lane, lane + 1)
                nats[one], ends[one] = self._run(params, x[:, one], y[:, one], before, 0)
        rest, _ = self._run(params, window.x[cut:], window.y[cut:], ends[-1:], 0)
        return float(nats.sum() + rest.sum())

    def _run_lanes(
        self, params: Params, x: Array, y: Array | None, h: Array
    ) -> tuple[Array, Array]:
        """The nats (B,) and last states (B, H) of lanes, which are split among the processes."""
        ranks = self._workers.ranks
        if ranks is None:
            return self._run_threads(params, x, y, h)
        nats, ends, own = np.empty(len(h)), np.empty_like(h), ranks.part(len(h))
        if own.start < own.stop:
            targets = None if y is None else y[:, own]
            nats[own], ends[own] = self._run_threads(params, x[:, own], targets, h[own])
        ranks.share(nats)
        ranks.share(ends)
        return nats, ends

    def _run_threads(
        self, params: Params, x: Array, y: Array | None, h: Array
    ) -> tuple[Array, Array]:
        """The same of the lanes of this process, which are split among its threads."""
        count = min(self._workers.count, len(h))
        slices = split(len(h), count)

        def run_slice(worker: int) -> tuple[Array, Array]:
            lanes = slices[worker]
            targets = None if y is None else y[:, lanes]
            return self._run(params, x[:, lanes], targets, h[lanes], worker)

        nats, states = zip(*self._workers.run(run_slice, count), strict=True)
        return np.concatenate(nats), np.concatenate(states)

    def _run(
        self, params: Params, x: Array, y: Array | None, h: Array, worker: int
    ) -> tuple[Array, Array]:
        """The nats (B,) and last states (B, H) of lanes that start from h; without y, 0 nats."""
        workspace, nats = self._workspaces[worker], np.zeros(len(h))
        characters = self._max_entries // max(params.state_size, params.alphabet_size)
        length = max(characters // len(h), 1)
        for start in range(0, len(x), length):
            steps = slice(start, start + length)
            with np.errstate(over="ignore", invalid="ignore"):  # the score is then not finite
                h_all = states(params, x[steps], h, self._activation, workspace)
                if y is not None:
                    losses = cross_entropy(logits(params, h_all[1:], workspace), y[steps])
                    nats += losses.sum(axis=0, dtype=np.float64)
            h = h_all[-1].copy()  # the next states take the memory of h_all
        return nats, h
