"""Dropout between layers, equation (26)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace

LEVELS = 1 << 16  # a unit is dropped if a random number of 16 bits is below a threshold
NUMBERS_PER_BLOCK = 16  # Philox draws 256 bits at a time


@dataclass(frozen=True)
class Dropout:
    """Random masks, each a function of seed, training step, lane and time alone.

    So they do not depend on how lanes are split among threads, or times among segments, and a
    resumed run draws the same ones.

    Attributes:
        rate: p, the probability that a unit is dropped, rounded to 16 bits.
        seed: Random seed.

    Reference:
        Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting",
        JMLR 15; Zaremba, Sutskever & Vinyals 2014, "Recurrent neural network regularization",
        arXiv 1409.2329. For random numbers as a function of a counter Salmon et al. 2011, "Parallel
        random numbers: as easy as 1, 2, 3", SC11.
    """

    rate: float
    seed: int

    def mask(
        self,
        shape: tuple[int, int, int, int],
        dtype: DTypeLike,
        *,
        step: int = 0,
        first_lane: int = 0,
        start: int = 0,
        workspace: Workspace | None = None,
    ) -> Array:
        """Draws m / (1 - p) for the units of all layers.

        Args:
            shape: (L, T, B, H).
            dtype: The precision of the result.
            step: The number of the training step.
            first_lane: The number of the first of B successive lanes.
            start: The number of the first of T successive time steps.
            workspace: Provides the arrays; a new one if None.

        Returns:
            The mask (L, T, B, H), valid until the next call with this workspace.
        """
        workspace = workspace or Workspace()
        L, T, B, H = shape
        threshold = min(round(self.rate * LEVELS), LEVELS - 1)
        blocks = -(-L * H // NUMBERS_PER_BLOCK)
        kept = workspace.array("kept units", shape, np.bool_)
        philox = np.random.Philox(key=np.array([self.seed, step], np.uint64))
        state = philox.state
        for lane in range(B):
            # to set the counter takes a tenth of the time of making a generator
            state["state"]["counter"][:] = start * blocks, first_lane + lane, 0, 0
            philox.state = state
            numbers = philox.random_raw(4 * blocks * T).astype("<u8", copy=False).view("<u2")
            units = numbers.reshape(T, -1)[:, : L * H].reshape(T, L, H)
            np.greater_equal(units.swapaxes(0, 1), threshold, out=kept[:, :, lane])
        mask = workspace.array("mask", shape, dtype)
        return np.multiply(kept, LEVELS / (LEVELS - threshold), out=mask, casting="unsafe")
